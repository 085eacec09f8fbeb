#include "tests/storage/private_postgres.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <pqxx/pqxx>
#include <stdexcept>
#include <vector>

#include "storage/store.h"
#include "tests/support/process.h"
#include "tests/support/wait.h"

namespace chat::test {
namespace {

namespace fs = std::filesystem;

// The newest server of the Debian packages.
fs::path server_programs() {
  fs::path newest;
  int version = 0;
  const fs::path root = "/usr/lib/postgresql";
  if (fs::exists(root)) {
    for (const auto& entry : fs::directory_iterator(root)) {
      const int found = std::atoi(entry.path().filename().c_str());
      if (found > version && fs::exists(entry.path() / "bin/initdb")) {
        version = found;
        newest = entry.path() / "bin";
      }
    }
  }
  if (newest.empty()) throw std::runtime_error("no PostgreSQL server under " + root.string() + " (package postgresql)");
  return newest;
}

const passwd* postgres_user() {
  if (::geteuid() != 0) return nullptr;
  const passwd* user = ::getpwnam("postgres");
  if (user == nullptr) throw std::runtime_error("there is no user postgres to run the server as");
  return user;
}

std::string made_folder(const std::string& pattern) {
  std::string path = (fs::temp_directory_path() / pattern).string();
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("can't make a folder like " + path);
  return path;
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// One initdb serves all test programs of a build: a copy takes a tenth of the time.
fs::path finished_cluster() {
  const auto programs = server_programs();
  const fs::path kept = fs::path(CHAT_STORAGE_TEST_FOLDER) / ("cluster-" + programs.parent_path().filename().string());
  fs::create_directories(kept.parent_path());
  const int lock = ::open((kept.string() + ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (lock < 0 || ::flock(lock, LOCK_EX) != 0) throw std::runtime_error("can't lock " + kept.string() + ".lock");
  if (!fs::exists(kept)) {
    const std::string work = made_folder("chat-initdb-XXXXXX");
    std::vector<std::string> command{(programs / "initdb").string(),
                                     "-D",
                                     work + "/data",
                                     "-U",
                                     "postgres",
                                     "-A",
                                     "trust",
                                     "-E",
                                     "UTF8",
                                     "--no-locale",
                                     "--no-sync"};
    if (const auto* user = postgres_user()) {
      if (::chown(work.c_str(), user->pw_uid, user->pw_gid) != 0)
        throw std::runtime_error("can't give " + work + " away");
      command.insert(command.begin(), {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"});
    }
    run_or_throw(command);
    run_or_throw({"cp", "-a", work + "/data", kept.string() + ".part"});
    fs::rename(kept.string() + ".part", kept);
    fs::remove_all(work);
  }
  ::close(lock);
  return kept;
}

}  // namespace

PrivatePostgres& PrivatePostgres::shared() {
  static PrivatePostgres server;
  return server;
}

PrivatePostgres::PrivatePostgres() : folder_(made_folder("chat-pg-XXXXXX")) {
  try {
    run_or_throw({"cp", "-a", finished_cluster().string(), folder_ + "/data"});
    if (const auto* user = postgres_user()) {
      run_or_throw({"chown", "-R", std::to_string(user->pw_uid) + ":" + std::to_string(user->pw_gid), folder_});
    }
    start();
  } catch (...) {
    stop();
    fs::remove_all(folder_);
    throw;
  }
}

PrivatePostgres::~PrivatePostgres() {
  stop();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void PrivatePostgres::start() {
  const auto program = (server_programs() / "postgres").string();
  const auto data = folder_ + "/data";
  const auto log = folder_ + "/log";
  const auto* user = postgres_user();
  const pid_t parent = ::getpid();
  server_ = ::fork();
  if (server_ < 0) throw std::runtime_error("can't start a process");
  if (server_ == 0) {
    const int out = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644);
    if (out >= 0) {
      ::dup2(out, 1);
      ::dup2(out, 2);
    }
    if (user != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0))
      ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (::getppid() != parent) ::_exit(126);
    ::execl(program.c_str(), program.c_str(), "-D", data.c_str(), "-k", folder_.c_str(), "-c",
            "listen_addresses=", "-c", "port=5432", "-c", "fsync=off", "-c", "shared_buffers=32MB", "-c",
            "max_connections=60", "-c", "autovacuum=off", nullptr);
    ::_exit(127);
  }
  eventually("the private PostgreSQL server takes connections (its log: " + log + ")", [&] {
    if (::waitpid(server_, nullptr, WNOHANG) == server_) {
      server_ = 0;
      throw std::runtime_error("the private PostgreSQL server ended: " + contents(log));
    }
    try {
      pqxx::connection connection(uri("postgres", folder_));
      return connection.is_open();
    } catch (const pqxx::broken_connection&) {
      return false;
    }
  });
}

void PrivatePostgres::stop() {
  if (server_ == 0) return;
  ::kill(server_, SIGQUIT);
  ::waitpid(server_, nullptr, 0);
  server_ = 0;
}

std::string PrivatePostgres::uri(const std::string& database, const std::string& socket_folder) const {
  return "postgresql:///" + database + "?host=" + socket_folder + "&port=5432&user=postgres";
}

std::string PrivatePostgres::new_database(const std::string& from) {
  const auto name = "test_" + std::to_string(++databases_);
  pqxx::connection connection(uri("postgres", folder_));
  pqxx::nontransaction(connection).exec("CREATE DATABASE " + name + " TEMPLATE " + from);
  return name;
}

void PrivatePostgres::run_sql(const std::string& uri, const std::string& sql) const {
  pqxx::connection connection(uri);
  pqxx::nontransaction(connection).exec(sql);
}

std::int64_t PrivatePostgres::number(const std::string& uri, const std::string& sql) const {
  pqxx::connection connection(uri);
  return pqxx::nontransaction(connection).exec(sql)[0][0].as<std::int64_t>();
}

std::string PrivatePostgres::empty_database() {
  return uri(new_database("template0"), folder_);
}

std::string PrivatePostgres::migrated_database() {
  if (!migrated_) {
    {
      pqxx::connection connection(uri("postgres", folder_));
      pqxx::nontransaction(connection).exec("CREATE DATABASE migrated");
    }
    migrate_postgres(uri("migrated", folder_));
    migrated_ = true;
  }
  return uri(new_database("migrated"), folder_);
}

}  // namespace chat::test
