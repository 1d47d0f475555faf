// PrefixCache: the tokens that one session's decoder has seen, and the pages with their keys and values.
//
// A session names the tokens that it wants. reuse() finds the longest prefix of them that is there (its own, or one
// that any session published in the pool), and only the rest has to be computed. A page that others can see is replaced
// by a copy before it is written (copy on write).
#ifndef DSVL_ENGINE_PREFIX_CACHE_HPP
#define DSVL_ENGINE_PREFIX_CACHE_HPP

#include "../base/host_macros_push.hpp"

#include <cstring>
#include <span>

#include "../base/status.hpp"
#include "../language/kv_cache.hpp"
#include "page_pool.hpp"

DSVL_BEGIN_NAMESPACE

/// The KV cache of one sequence: the keys of its tokens, and its pages of a pool. One thread at a time may use it;
/// other caches of the same pool may be in use on other threads meanwhile.
class PrefixCache {
 public:
  /// An empty cache over the pages of `pool`. Call carve() and reserve() before anything else.
  explicit PrefixCache(std::shared_ptr<PagePool> pool) noexcept : pool_(std::move(pool)) {}
  PrefixCache(const PrefixCache&) = delete;
  PrefixCache& operator=(const PrefixCache&) = delete;
  /// Releases its pages. The published ones can be found in the pool until their memory is needed.
  ~PrefixCache() {
    truncate(0);
    pool_->unreserve(promised_);
  }

  /// Declares the tables for `context` tokens; reserve() then takes the pages.
  void carve(Arena& arena, HeadShape shape, Index context, KvFormat format) noexcept {
    context_ = context;
    kv_.carve_table(arena, shape, context, format);
    slots_ = arena.buffer<TokenKey>("cache slots", context);
    pages_ = arena.buffer<PagePool::Page*>("cache pages", kv_.pages());
  }
  /// Reserves pages for the whole context, less `shared` pages that a fork gets from its parent, and `spare` ones, into
  /// which a shared page can be copied before the old one is released. Caches that are used by one thread at a time can
  /// do with one such page for all. Call it once. False when there is no memory.
  [[nodiscard]] bool reserve(Index shared = 0, Index spare = 1) noexcept {
    const Index pages = kv_.pages() - shared + spare;
    if (!pool_->reserve(pages, kv_.pages() + spare)) return false;
    reserved_ = pages;
    promised_ = kv_.pages() + spare;
    return true;
  }

  /// The page table, as the decoder reads it.
  [[nodiscard]] const KvCache<float>& kv() const noexcept { return kv_; }
  /// The pool of its pages, which a fork shares.
  [[nodiscard]] const std::shared_ptr<PagePool>& pool() const noexcept { return pool_; }
  /// Bytes of the pages that this cache reserved.
  [[nodiscard]] std::size_t reserved_bytes() const noexcept { return pool_->bytes_of(reserved_); }
  /// Tokens that it has room for.
  [[nodiscard]] Index context() const noexcept { return context_; }
  /// Tokens whose keys and values it holds.
  [[nodiscard]] Index size() const noexcept { return std::ssize(slots_); }
  /// The keys of these tokens, in order; valid until the cache changes.
  [[nodiscard]] std::span<const TokenKey> entries() const noexcept { return slots_.span(); }

  /// Forgets everything from token `size` on. Pages behind the new end are released; the page that it lies within is
  /// kept.
  void truncate(Index size) noexcept {
    if (size > this->size()) return;
    (void)slots_.resize(static_cast<std::size_t>(size));  // cannot fail, since it only gets shorter
    keep_pages(ceil_div(size, kKvBlock));
  }

  /// Makes the cache hold the longest prefix of `wanted` that is known without computing, and returns its length. The
  /// last token is never part of it: it always runs, since its logits are needed.
  Index reuse(std::span<const TokenKey> wanted) noexcept {
    const Index most = std::ssize(wanted) - 1;
    const Index both = std::min<Index>(size(), most);
    const auto differ = std::mismatch(slots_.begin(), slots_.begin() + both, wanted.begin());
    const Index own = static_cast<Index>(differ.first - slots_.begin());
    // Other sessions may have published more. Only whole pages are published, so the search begins with the page that
    // our own tokens end within.
    Index page = own / kKvBlock;
    PagePool::Page* parent = page > 0 ? pages_[static_cast<std::size_t>(page - 1)] : nullptr;
    PagePool::Page* found = nullptr;
    const auto look = [&] {
      return (page + 1) * kKvBlock <= most ? pool_->find(parent, wanted.data() + page * kKvBlock) : nullptr;
    };
    // No published page goes further than our own tokens, which may end in the middle of a page.
    if ((found = look()) == nullptr) {
      truncate(own);
      return own;
    }
    // The published page holds all that our own part of it does, and takes its place.
    truncate(page * kKvBlock);
    do {
      append_page(found, wanted.data() + page * kKvBlock);
      parent = found;
      ++page;
    } while ((found = look()) != nullptr);
    return size();
  }

  /// Makes the memory of the next `rows` tokens ready to be written: adds pages, and replaces those that others can see
  /// by copies.
  ///
  /// Codes  out_of_memory. It can only happen when this session rewinds behind pages that it had when it was forked,
  ///        and other sessions still use them: then it needs more pages than it reserved.
  Status prepare(Index rows) noexcept {
    const Index begin = size() / kKvBlock, end = ceil_div(size() + rows, kKvBlock);
    for (Index p = begin; p < end; ++p) {
      const auto at = static_cast<std::size_t>(p);
      if (at < pages_.size() && pool_->writable(pages_[at])) continue;
      // The reservation covers the context. Only the case above needs a page more, which is allocated now.
      PagePool::Page* fresh = pool_->take();
      if (!fresh && pool_->reserve(1, 0)) ++reserved_, fresh = pool_->take();
      if (!fresh) return fail(Code::out_of_memory, "no memory for a page of keys and values: %zu bytes",
                               pool_->page_bytes());
      if (at < pages_.size()) {
        // This is the copy on write: tokens in front of size() keep their keys and values, the others will be written.
        std::memcpy(fresh->memory, pages_[at]->memory, pool_->page_bytes());
        pool_->release(pages_[at]);
        pages_[at] = fresh;
      } else {
        (void)pages_.push_back(fresh);  // the table has room for the whole context
      }
      kv_.set_page(p, fresh->memory);
    }
    return {};
  }

  /// Counts tokens that have been computed behind the others, and publishes the pages that they fill. prepare() must
  /// have been called for them.
  void append(std::span<const TokenKey> more) noexcept {
    const Index before = size() / kKvBlock;
    (void)slots_.append(more.data(), more.size());  // prepare() had room for them
    for (Index p = before; (p + 1) * kKvBlock <= size(); ++p) {
      const auto at = static_cast<std::size_t>(p);
      // It may give another session's page in exchange, with the same keys and values at another address.
      pages_[at] = pool_->publish(pages_[at], p > 0 ? pages_[at - 1] : nullptr, slots_.data() + p * kKvBlock);
      kv_.set_page(p, pages_[at]->memory);
    }
  }

  /// Makes this cache hold the first `size` tokens of another cache of the same pool, for a fork. Full pages are
  /// shared. The last one is copied unless it is full, because both sessions go on writing into it.
  ///
  /// Codes  out_of_memory
  Status share(const PrefixCache& other, Index size) noexcept {
    truncate(0);
    const Index whole = size / kKvBlock;
    for (Index p = 0; p < whole; ++p) {
      PagePool::Page* const page = other.pages_[static_cast<std::size_t>(p)];
      pool_->retain(page);
      append_page(page, other.slots_.data() + p * kKvBlock);
    }
    const Index rest = size - whole * kKvBlock;
    if (rest == 0) return {};
    DSVL_CHECK_STATUS(prepare(rest));
    std::memcpy(pages_[static_cast<std::size_t>(whole)]->memory,
                other.pages_[static_cast<std::size_t>(whole)]->memory, pool_->page_bytes());
    append({other.slots_.data() + whole * kKvBlock, static_cast<std::size_t>(rest)});
    return {};
  }

  /// The bytes of page p, for saving and loading a session.
  [[nodiscard]] std::span<std::byte> page_bytes(Index p) const noexcept {
    return {pages_[static_cast<std::size_t>(p)]->memory, pool_->page_bytes()};
  }

 private:
  /// Adds a full page, of which the caller is a user, with its 64 keys.
  void append_page(PagePool::Page* page, const TokenKey* entries) noexcept {
    kv_.set_page(std::ssize(pages_), page->memory);
    (void)pages_.push_back(page);
    (void)slots_.append(entries, kKvBlock);
  }
  /// Releases all pages but the first `count`, from the last one on, as PagePool::release asks.
  void keep_pages(Index count) noexcept {
    while (std::ssize(pages_) > count) {
      pool_->release(pages_[pages_.size() - 1]);
      (void)pages_.resize(pages_.size() - 1);
    }
  }

  std::shared_ptr<PagePool> pool_;  // which forks share
  KvCache<float> kv_;               // addresses of the pages
  Buffer<TokenKey> slots_;          // keys of the tokens
  Buffer<PagePool::Page*> pages_;   // page p has the tokens from 64 p on
  // Tokens that there is room for; pages that this cache allocated; pages that it may hold at a time.
  Index context_ = 0, reserved_ = 0, promised_ = 0;
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_ENGINE_PREFIX_CACHE_HPP
