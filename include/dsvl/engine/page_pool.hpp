// PagePool: the memory of KV caches, in pages of 64 tokens that sessions share.
//
// A full page is published under its contents: its 64 tokens and the page in front of it. A session that needs the same
// tokens at the same place finds the page and computes nothing, be it for another question about a picture, in another
// session or in a fork. Published pages are never written again. A page without users stays until its memory is needed;
// the least recently used one goes first (LRU).
//
// Pages are matched token by token (a picture's rows by the picture's 128-bit content hash), never by a hash of the
// page, so that different texts are never taken for each other.
// Source: arXiv:2309.06180 for paged caches.
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

/// The key that the cache knows a token by. Equal keys behind equal prefixes have equal keys and values, which is why a
/// page can be reused. Saved sessions contain keys as plain bytes.
struct TokenKey {
  std::int32_t id = 0;           ///< of the vocabulary; for a row of a picture, that of the image token
  std::int32_t row = -1;         ///< number of the row within the picture's embedding; -1: text
  ContentHash picture = {0, 0};  ///< hash of the picture's pixels; zero for text
  /// Two tokens are the same when all three fields are.
  bool operator==(const TokenKey&) const noexcept = default;
};

/// Pages with a count of users, and the order in which those without users may be taken again. Any number of caches
/// share a pool, on any threads: every member that looks at pages takes the lock.
class PagePool {
 public:
  /// One page and its bookkeeping, owned by the pool. Its memory may be written while it is writable(), by its only
  /// user.
  struct Page {
    std::byte* memory = nullptr;  ///< page_bytes() bytes: keys and values of all layers and heads
    int users = 0;  ///< caches that hold the page; 0: it may be taken again
    std::uint64_t serial = 0;  ///< number of its publication, unique in the pool; 0: not published
    std::uint64_t parent = 0;  ///< serial of the page in front of it; 0: it is the first of its sequence
    std::uint64_t last_used = 0;  ///< time of the pool's clock at which its last user left it; 0: of no use to others
    TokenKey entries[kKvBlock] = {};  ///< keys of its tokens, once it is published
  };

  /// A pool without pages, whose pages will have `page_bytes` bytes. Memory comes from `from`; null means operator new.
  PagePool(std::size_t page_bytes, Allocator* from) noexcept : page_bytes_(page_bytes), from_(from) {}
  PagePool(const PagePool&) = delete;
  PagePool& operator=(const PagePool&) = delete;

  /// Bytes that `pages` pages take, bookkeeping included.
  [[nodiscard]] std::size_t bytes_of(Index pages) const noexcept {
    return static_cast<std::size_t>(pages) * (page_bytes_ + sizeof(Page));
  }

  /// Allocates `pages` more pages, in one block, for a user that may hold `most` pages at a time. `most` is larger for
  /// a fork, which shares pages that its parent reserved. The pool then keeps at least as many pages as all its users
  /// were promised together. False, with nothing changed, when there is no memory.
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
  /// Allocates pages that are not shared with a parent.
  [[nodiscard]] bool reserve(Index pages) noexcept { return reserve(pages, pages); }
  /// Takes the promise of `most` pages back, and frees blocks that are not needed any more: those of which no page is
  /// in use, as long as the other blocks cover what is still promised. Published pages in such a block are forgotten.
  void unreserve(Index most) noexcept {
    const std::lock_guard lock(mutex_);
    promised_ -= most;
    for (std::unique_ptr<Block>* at = &blocks_; *at;) {
      const Buffer<Page>& pages = (*at)->pages;
      const Index size = std::ssize(pages);
      const bool idle = std::all_of(pages.begin(), pages.end(), [](const Page& p) { return p.users == 0; });
      if (!idle || count_ - size < promised_) {
        at = &(*at)->next;
        continue;
      }
      count_ -= size;
      *at = std::move((*at)->next);
    }
  }

  /// Hands out a page to write, with the caller as its only user; null when every page is in use. The page that was
  /// left the longest time ago is taken, and what it was published under is forgotten.
  ///
  /// Cost   one look at each page
  [[nodiscard]] Page* take() noexcept {
    const std::lock_guard lock(mutex_);
    Page* best = nullptr;
    for (Block* block = blocks_.get(); block; block = block->next.get())
      for (Page& p : block->pages)
        if (p.users == 0 && (!best || p.last_used < best->last_used)) best = &p;
    if (!best) return nullptr;
    best->users = 1;
    // Pages that were published behind it can no longer be found, since serials are not used twice. They age and go.
    best->serial = best->parent = 0;
    return best;
  }
  /// Adds a user to a page that has one.
  void retain(Page* page) noexcept {
    const std::lock_guard lock(mutex_);
    ++page->users;
  }
  /// Ends the use by one user. Of several pages the last in a sequence should be released first: it is then the first
  /// to be taken again, and a page without those in front of it is of no use.
  void release(Page* page) noexcept {
    const std::lock_guard lock(mutex_);
    --page->users;
    page->last_used = page->serial ? ++clock_ : 0;
  }
  /// True when the page has one user and is not published, so that this user may write it. Any other page has to be
  /// copied first (copy on write).
  [[nodiscard]] bool writable(const Page* page) noexcept {
    const std::lock_guard lock(mutex_);
    return page->users == 1 && page->serial == 0;
  }

  /// The published page with these 64 keys behind `parent` (null: at the beginning of a sequence), with the caller as
  /// one more user; null when there is none.
  [[nodiscard]] Page* find(const Page* parent, const TokenKey* entries) noexcept {
    const std::lock_guard lock(mutex_);
    Page* const page = look_up(parent, entries);
    if (page) ++page->users;
    return page;
  }
  /// Publishes a full page, which must not be written from then on, and returns it. When a page with the same contents
  /// was published before, the caller becomes a user of that one instead and loses its own, so that the memory is used
  /// only once.
  [[nodiscard]] Page* publish(Page* page, const Page* parent, const TokenKey* entries) noexcept {
    const std::lock_guard lock(mutex_);
    // A page behind one that is not published could not be found by others.
    if (parent && parent->serial == 0) return page;
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

  /// Number of pages, for reports and tests.
  [[nodiscard]] Index pages() const noexcept {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  /// Number of pages that have a user, for reports and tests.
  [[nodiscard]] Index used() const noexcept {
    const std::lock_guard lock(mutex_);
    Index n = 0;
    for (const Block* block = blocks_.get(); block; block = block->next.get())
      for (const Page& p : block->pages) n += p.users > 0;
    return n;
  }
  /// Bytes of a page's keys and values.
  [[nodiscard]] std::size_t page_bytes() const noexcept { return page_bytes_; }

 private:
  /// The pages of one reserve(). They are allocated and freed together.
  struct Block {
    explicit Block(Allocator* from) noexcept : memory(from), pages(from) {}
    Buffer<std::byte> memory;     ///< of the pages, end to end
    Buffer<Page> pages;           ///< their bookkeeping, at fixed addresses
    std::unique_ptr<Block> next;  ///< the block that was reserved before it
  };

  /// find() without the lock and without a new user. The parent is compared first, so few pages are compared token by
  /// token.
  [[nodiscard]] Page* look_up(const Page* parent, const TokenKey* entries) noexcept {
    if (parent && parent->serial == 0) return nullptr;
    const std::uint64_t behind = parent ? parent->serial : 0;
    for (Block* block = blocks_.get(); block; block = block->next.get())
      for (Page& p : block->pages)
        if (p.serial != 0 && p.parent == behind && std::equal(entries, entries + kKvBlock, p.entries)) return &p;
    return nullptr;
  }

  std::size_t page_bytes_;                 // of keys and values
  Allocator* from_;                        // of blocks
  mutable std::mutex mutex_;               // guards all that follows, and the bookkeeping in the pages
  std::unique_ptr<Block> blocks_;          // a list, the latest first
  std::uint64_t serials_ = 0, clock_ = 0;  // the last serial that was given, and the last time
  Index count_ = 0, promised_ = 0;         // pages in all, and the sum of what users were promised
};

DSVL_END_NAMESPACE

#endif  // DSVL_ENGINE_PAGE_POOL_HPP
