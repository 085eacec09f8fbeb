// A PostgreSQL server of the test program's own, in a temporary folder, reached by a Unix socket only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace chat::test {

// Threads: the main one (the server ends with the thread that started it).
class PrivatePostgres {
 public:
  // The program's server: started at its first use, ended with the program, its folder removed. Also a program that
  // crashes takes it along (only the folder stays). As root it runs as user postgres.
  static PrivatePostgres& shared();

  PrivatePostgres();
  ~PrivatePostgres();
  PrivatePostgres(const PrivatePostgres&) = delete;
  PrivatePostgres& operator=(const PrivatePostgres&) = delete;

  // The URI of a new database, with the schema in place, or empty.
  std::string migrated_database();
  std::string empty_database();

  // The same database through another socket folder, for a proxy between.
  std::string uri(const std::string& database, const std::string& socket_folder) const;
  std::string folder() const { return folder_; }
  std::string socket_path() const { return folder_ + "/.s.PGSQL.5432"; }

  // Past the store: statements, and the one number that a statement answers.
  void run_sql(const std::string& uri, const std::string& sql) const;
  std::int64_t number(const std::string& uri, const std::string& sql) const;

  void start();  // answers once it takes connections
  void stop();   // without waiting for clients

 private:
  std::string new_database(const std::string& from);

  std::string folder_;
  pid_t server_ = 0;
  int databases_ = 0;
  bool migrated_ = false;
};

}  // namespace chat::test
