// PagePool: the memory of caches, in pages of 64 tokens that sessions share.
//
// A page that is full is published under what it holds: its 64 tokens and the page in front of it. Whoever needs the
// same tokens at the same place finds it and computes nothing: another question about a picture, another session, a
// fork. Published pages are never written again; nobody's pages stay until their memory is needed, the longest unused
// first.
//
// Pages are matched token by token (a picture's rows by the picture's 128-bit content hash), never by a hash alone.
#ifndef DSVL_ENGINE_PAGE_POOL_HPP
#define DSVL_ENGINE_PAGE_POOL_HPP

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>

#include "../base/buffer.hpp"
#include "../base/hash.hpp"
#include "../kernels/table.hpp"

DSVL_BEGIN_NAMESPACE

/// One token of a cache: a token of text, or a row of a picture, known by what the picture shows.
struct TokenKey {
  std::int32_t id = 0;
  std::int32_t row = -1;  ///< -1: text
  ContentHash picture = {0, 0};
  bool operator==(const TokenKey&) const noexcept = default;
};

class PagePool {
 public:
  /// Owned by the pool; `memory` may be written while the page is writable(), by its only user.
  struct Page {
    std::byte* memory = nullptr;
    int users = 0;
    std::uint64_t serial = 0;     ///< of the publication; 0: not published
    std::uint64_t parent = 0;     ///< serial of the page in front; 0: there is none
    std::uint64_t last_used = 0;
    TokenKey entries[kKvBlock] = {};
  };

  PagePool(std::size_t page_bytes, Allocator* from) noexcept : page_bytes_(page_bytes), from_(from) {}
  PagePool(const PagePool&) = delete;
  PagePool& operator=(const PagePool&) = delete;

  /// Bytes of `pages`, with what the pool has to know about them.
  [[nodiscard]] std::size_t bytes_of(Index pages) const noexcept {
    return static_cast<std::size_t>(pages) * (page_bytes_ + sizeof(Page));
  }

  /// Room for `pages` more, for somebody who may use `most` at a time: more than that when some are shared with those
  /// who reserved them. False: there is no memory.
  [[nodiscard]] bool reserve(Index pages, Index most) noexcept {
    const std::lock_guard lock(mutex_);
    if (pages < 1) return promised_ += most, true;
    std::unique_ptr<Block> block(new (std::nothrow) Block(from_));
    const auto n = static_cast<std::size_t>(pages);
    if (!block || !block->memory.resize(n * page_bytes_) || !block->pages.resize(n)) return false;
    for (std::size_t i = 0; i < n; ++i) {
      block->pages[i] = Page();
      block->pages[i].memory = block->memory.data() + i * page_bytes_;
    }
    block->next = std::move(blocks_);
    blocks_ = std::move(block);
    count_ += pages;
    promised_ += most;
    return true;
  }
  [[nodiscard]] bool reserve(Index pages) noexcept { return reserve(pages, pages); }
  /// Gives a promise of `most` pages back. Memory goes back in the blocks it came in, as far as no page of a block is
  /// in use and the others can still have all that they were promised.
  void unreserve(Index most) noexcept {
    const std::lock_guard lock(mutex_);
    promised_ -= most;
    for (std::unique_ptr<Block>* at = &blocks_; *at;) {
      const Buffer<Page>& pages = (*at)->pages;
      const Index size = static_cast<Index>(pages.size());
      const bool idle = std::all_of(pages.begin(), pages.end(), [](const Page& p) { return p.users == 0; });
      if (!idle || count_ - size < promised_) {
        at = &(*at)->next;
        continue;
      }
      count_ -= size;
      *at = std::move((*at)->next);
    }
  }

  /// A page to write, its user the caller; null when every page is in use.
  [[nodiscard]] Page* take() noexcept {
    const std::lock_guard lock(mutex_);
    Page* best = nullptr;
    for (Block* block = blocks_.get(); block; block = block->next.get())
      for (Page& p : block->pages)
        if (p.users == 0 && (!best || p.last_used < best->last_used)) best = &p;
    if (!best) return nullptr;
    best->users = 1;
    best->serial = best->parent = 0;
    return best;
  }
  void retain(Page* page) noexcept {
    const std::lock_guard lock(mutex_);
    ++page->users;
  }
  /// Of several pages the last in a sequence should be released first: it goes first, too.
  void release(Page* page) noexcept {
    const std::lock_guard lock(mutex_);
    --page->users;
    page->last_used = page->serial ? ++clock_ : 0;
  }
  /// Whether its only user may write it.
  [[nodiscard]] bool writable(const Page* page) noexcept {
    const std::lock_guard lock(mutex_);
    return page->users == 1 && page->serial == 0;
  }

  /// The published page with these 64 entries behind `parent` (null: at the beginning), retained; null when there is
  /// none.
  [[nodiscard]] Page* find(const Page* parent, const TokenKey* entries) noexcept {
    const std::lock_guard lock(mutex_);
    Page* const page = look_up(parent, entries);
    if (page) ++page->users;
    return page;
  }
  /// Publishes a full page. When there is its like already, that one is returned in exchange.
  [[nodiscard]] Page* publish(Page* page, const Page* parent, const TokenKey* entries) noexcept {
    const std::lock_guard lock(mutex_);
    if (parent && parent->serial == 0) return page;  // its beginning is not known to others
    if (Page* const twin = look_up(parent, entries)) {
      ++twin->users;
      --page->users;
      page->last_used = 0;
      return twin;
    }
    page->serial = ++serials_;
    page->parent = parent ? parent->serial : 0;
    std::copy_n(entries, kKvBlock, page->entries);
    return page;
  }

  /// Pages in all, and those that somebody uses: for reports and tests.
  [[nodiscard]] Index pages() const noexcept {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  [[nodiscard]] Index used() const noexcept {
    const std::lock_guard lock(mutex_);
    Index n = 0;
    for (const Block* block = blocks_.get(); block; block = block->next.get())
      for (const Page& p : block->pages) n += p.users > 0;
    return n;
  }
  [[nodiscard]] std::size_t page_bytes() const noexcept { return page_bytes_; }

 private:
  struct Block {
    explicit Block(Allocator* from) noexcept : memory(from), pages(from) {}
    Buffer<std::byte> memory;
    Buffer<Page> pages;
    std::unique_ptr<Block> next;
  };

  [[nodiscard]] Page* look_up(const Page* parent, const TokenKey* entries) noexcept {
    if (parent && parent->serial == 0) return nullptr;
    const std::uint64_t behind = parent ? parent->serial : 0;
    for (Block* block = blocks_.get(); block; block = block->next.get())
      for (Page& p : block->pages)
        if (p.serial != 0 && p.parent == behind && std::equal(entries, entries + kKvBlock, p.entries)) return &p;
    return nullptr;
  }

  std::size_t page_bytes_;
  Allocator* from_;
  mutable std::mutex mutex_;
  std::unique_ptr<Block> blocks_;  // a list
  std::uint64_t serials_ = 0, clock_ = 0;
  Index count_ = 0, promised_ = 0;  // pages that there are, and that their users may want at the same time
};

DSVL_END_NAMESPACE

#endif  // DSVL_ENGINE_PAGE_POOL_HPP
