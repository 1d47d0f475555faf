// PrefixCache: what one session's decoder has seen: its tokens, and the pages with their keys and values.
//
// Tokens are the truth: a session says which it wants, reuse() finds the longest beginning that is there (its own, or
// published by anybody in the pool), and only the rest is computed. A page that others can see is replaced by a copy
// before it is written.
#ifndef DSVL_ENGINE_PREFIX_CACHE_HPP
#define DSVL_ENGINE_PREFIX_CACHE_HPP

#include "../base/host_macros_push.hpp"

#include <cstring>
#include <span>

#include "../base/status.hpp"
#include "../language/kv_cache.hpp"
#include "page_pool.hpp"

DSVL_BEGIN_NAMESPACE

class PrefixCache {
 public:
  explicit PrefixCache(std::shared_ptr<PagePool> pool) noexcept : pool_(std::move(pool)) {}
  PrefixCache(const PrefixCache&) = delete;
  PrefixCache& operator=(const PrefixCache&) = delete;
  ~PrefixCache() {
    truncate(0);
    pool_->unreserve(promised_);
  }

  /// Declares its tables; reserve() then takes the pages.
  void carve(Arena& arena, HeadShape shape, Index context, KvFormat format) noexcept {
    context_ = context;
    kv_.carve_table(arena, shape, context, format);
    slots_ = arena.buffer<TokenKey>("cache slots", context);
    pages_ = arena.buffer<PagePool::Page*>("cache pages", kv_.pages());
  }
  /// Reserves pages for the whole context, less `shared` that come with a fork, and one more to copy a shared one into.
  /// False: there is no memory.
  [[nodiscard]] bool reserve(Index shared = 0) noexcept {
    const Index pages = kv_.pages() - shared + 1;
    if (!pool_->reserve(pages, kv_.pages() + 1)) return false;
    reserved_ = pages;
    promised_ = kv_.pages() + 1;
    return true;
  }

  [[nodiscard]] const KvCache<float>& kv() const noexcept { return kv_; }
  [[nodiscard]] const std::shared_ptr<PagePool>& pool() const noexcept { return pool_; }
  [[nodiscard]] std::size_t reserved_bytes() const noexcept { return pool_->bytes_of(reserved_); }
  [[nodiscard]] Index context() const noexcept { return context_; }
  [[nodiscard]] Index size() const noexcept { return static_cast<Index>(slots_.size()); }
  [[nodiscard]] std::span<const TokenKey> entries() const noexcept { return slots_.span(); }

  /// Forgets everything from token `size` on.
  void truncate(Index size) noexcept {
    if (size > this->size()) return;
    (void)slots_.resize(static_cast<std::size_t>(size));  // smaller: cannot fail
    keep_pages(ceil_div(size, kKvBlock));
  }

  /// Makes the cache hold the longest beginning of `wanted` that is known without computing, but not all of it: the
  /// last token always runs, since its logits are needed. Returns its length.
  Index reuse(std::span<const TokenKey> wanted) noexcept {
    const Index most = static_cast<Index>(wanted.size()) - 1;
    const Index both = std::min<Index>(size(), most);
    const auto differ = std::mismatch(slots_.begin(), slots_.begin() + both, wanted.begin());
    const Index own = static_cast<Index>(differ.first - slots_.begin());
    // Whole pages that somebody published: from the one in which ours end.
    Index page = own / kKvBlock;
    PagePool::Page* parent = page > 0 ? pages_[static_cast<std::size_t>(page - 1)] : nullptr;
    PagePool::Page* found = nullptr;
    const auto look = [&] {
      return (page + 1) * kKvBlock <= most ? pool_->find(parent, wanted.data() + page * kKvBlock) : nullptr;
    };
    if ((found = look()) == nullptr) {
      truncate(own);
      return own;
    }
    truncate(page * kKvBlock);
    do {
      append_page(found, wanted.data() + page * kKvBlock);
      parent = found;
      ++page;
    } while ((found = look()) != nullptr);
    return size();
  }

  /// Makes the memory of the next `rows` tokens ready to be written. Codes: out_of_memory (only where others use pages
  /// that this session had when it was forked from, and rewinds behind them).
  Status prepare(Index rows) noexcept {
    const Index begin = size() / kKvBlock, end = ceil_div(size() + rows, kKvBlock);
    for (Index p = begin; p < end; ++p) {
      const auto at = static_cast<std::size_t>(p);
      if (at < pages_.size() && pool_->writable(pages_[at])) continue;
      PagePool::Page* fresh = pool_->take();
      if (!fresh && pool_->reserve(1, 0)) ++reserved_, fresh = pool_->take();
      if (!fresh) return fail(Code::out_of_memory, "no memory for a page of keys and values: %zu bytes",
                               pool_->page_bytes());
      if (at < pages_.size()) {
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

  /// The tokens that have been computed behind what was there; publishes the pages they fill.
  void append(std::span<const TokenKey> more) noexcept {
    const Index before = size() / kKvBlock;
    (void)slots_.append(more.data(), more.size());  // prepare() had room for them
    for (Index p = before; (p + 1) * kKvBlock <= size(); ++p) {
      const auto at = static_cast<std::size_t>(p);
      pages_[at] = pool_->publish(pages_[at], p > 0 ? pages_[at - 1] : nullptr, slots_.data() + p * kKvBlock);
      kv_.set_page(p, pages_[at]->memory);
    }
  }

  /// Shares the first `size` tokens of another cache of the same pool; a page that is not full is copied.
  /// Codes: out_of_memory.
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

  /// Page p's bytes, for saving and loading a session.
  [[nodiscard]] std::span<std::byte> page_bytes(Index p) const noexcept {
    return {pages_[static_cast<std::size_t>(p)]->memory, pool_->page_bytes()};
  }

 private:
  void append_page(PagePool::Page* page, const TokenKey* entries) noexcept {
    kv_.set_page(static_cast<Index>(pages_.size()), page->memory);
    (void)pages_.push_back(page);
    (void)slots_.append(entries, kKvBlock);
  }
  void keep_pages(Index count) noexcept {
    while (static_cast<Index>(pages_.size()) > count) {
      pool_->release(pages_[pages_.size() - 1]);
      (void)pages_.resize(pages_.size() - 1);
    }
  }

  std::shared_ptr<PagePool> pool_;
  KvCache<float> kv_;
  Buffer<TokenKey> slots_;
  Buffer<PagePool::Page*> pages_;
  Index context_ = 0, reserved_ = 0, promised_ = 0;  // pages: taken for this cache; that it may use at a time
};

DSVL_END_NAMESPACE

#include "../base/host_macros_pop.hpp"

#endif  // DSVL_ENGINE_PREFIX_CACHE_HPP
