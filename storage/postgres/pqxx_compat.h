// The one place that knows how libpqxx 6.4 (Debian 12), 7.10 (Debian 13) and 8.0 differ.
#pragma once

#include <functional>
#include <pqxx/pqxx>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace chat::compat {

// What result[i] and result[i][j] are. From 8 on both only refer to the result, which has to live on.
using Row = std::remove_cvref_t<decltype(std::declval<const pqxx::result&>()[0])>;
using Field = std::remove_cvref_t<decltype(std::declval<const Row&>()[0])>;

#if PQXX_VERSION_MAJOR >= 7

// 7 never connects again behind our back.
inline void never_reconnect(pqxx::connection&) {}

inline void prepare(pqxx::connection& connection, const char* name, const char* sql) {
  connection.prepare(name, sql);
}

template <typename... Args>
pqxx::result exec_prepared(pqxx::transaction_base& transaction, const char* name, const Args&... args) {
  return transaction.exec(pqxx::prepped{name}, pqxx::params{args...});
}

// COPY into a table. `columns` are separated by commas. complete() must be called, or the transaction given up.
class CopyIn {
 public:
  CopyIn(pqxx::transaction_base& transaction, const char* table, const char* columns)
      : stream_(pqxx::stream_to::raw_table(transaction, table, columns)) {}
  template <typename... Fields>
  void row(const Fields&... fields) {
    stream_.write_values(fields...);
  }
  void complete() { stream_.complete(); }

 private:
  pqxx::stream_to stream_;
};

// Calls `handler` with each payload on the channel, from within await_notification(). Lives no longer than the
// connection.
class Listener {
 public:
  Listener(pqxx::connection& connection, const char* channel, std::function<void(const std::string&)> handler) {
    connection.listen(channel, [handler = std::move(handler)](const pqxx::notification& notification) {
      handler(std::string(notification.payload.c_str()));
    });
  }
};

#else

// 6 answers a lost connection at BEGIN by connecting anew, with neither our settings nor our socket; that must not
// happen.
inline void never_reconnect(pqxx::connection& connection) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

inline void prepare(pqxx::connection& connection, const char* name, const char* sql) {
  connection.prepare(name, sql);
}

template <typename... Args>
pqxx::result exec_prepared(pqxx::transaction_base& transaction, const char* name, const Args&... args) {
  return transaction.exec_prepared(name, args...);
}

class CopyIn {
 public:
  CopyIn(pqxx::transaction_base& transaction, const char* table, const char* columns)
      : stream_(transaction, table, &columns, &columns + 1) {}
  template <typename... Fields>
  void row(const Fields&... fields) {
    stream_ << std::tuple<const Fields&...>(fields...);
  }
  void complete() { stream_.complete(); }

 private:
  pqxx::stream_to stream_;
};

class Listener {
 public:
  Listener(pqxx::connection& connection, const char* channel, std::function<void(const std::string&)> handler)
      : receiver_(connection, channel, std::move(handler)) {}

 private:
  struct Receiver : pqxx::notification_receiver {
    Receiver(pqxx::connection& connection, const char* channel, std::function<void(const std::string&)> wanted)
        : pqxx::notification_receiver(connection, channel), handler(std::move(wanted)) {}
    void operator()(const std::string& payload, int) override { handler(payload); }
    std::function<void(const std::string&)> handler;
  };
  Receiver receiver_;
};

#endif

}  // namespace chat::compat
