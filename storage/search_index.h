// Makes committed messages searchable, behind the commit: whatever was interrupted is gone on with where it stood.
//
// A message is indexed in the transaction that moves its conversation's mark in search_progress beyond it, so it is
// indexed once. A recall or an edit takes the words away or replaces them in its own transaction (postgres/
// search_rows.h), and locks that mark first: either it finds the words, or the indexer finds what became of the
// message.
//
// Threads: one object belongs to one thread at a time; interrupt() any. Calls may throw StoreUnavailable or
// StoreInDoubt; the next call connects anew and goes on.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "storage/errors.h"

namespace chat {

class SearchIndex {
 public:
  virtual ~SearchIndex() = default;

  // Indexes the next messages, some thousand at most, in one transaction; those of conversations with little to index
  // first. False: there is none.
  virtual bool index_some() = 0;

  // Waits up to `timeout` for word of a commit. May return early for nothing.
  virtual void wait(std::chrono::milliseconds timeout) = 0;

  // Any thread: makes a call that is blocked, and all later ones, fail soon with StoreUnavailable.
  virtual void interrupt() noexcept = 0;
};

std::unique_ptr<SearchIndex> open_search_index(const std::string& uri, std::string_view application_name);

}  // namespace chat
