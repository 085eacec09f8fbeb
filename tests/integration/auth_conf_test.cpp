// The pieces of configuration that say who gets in, as an operator installs them: /etc/mosquitto/conf.d with the
// plugin's drop-in, one of the auth-*.conf and the listeners, loaded by a real broker that speaks TLS. Only paths and
// ports differ.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "tests/auth/folder.h"
#include "tests/auth/signers.h"
#include "tests/bridge/background.h"
#include "tests/support/ports.h"
#include "tests/support/programs.h"
#include "tests/support/stack_suite.h"

namespace chat::test {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

struct ConfStack {
  static StackOptions options() { return {.users = 4}; }
};

class AuthConf : public StackSuite<ConfStack> {
 protected:
  static void SetUpTestSuite() {
    StackSuite::SetUpTestSuite();
    stack().stop("broker");  // its port, journal and bridge are those of the installed brokers
    fs::create_directories(etc() / "conf.d");
    make_certificates();
  }

  void TearDown() override {
    if (broker_ == nullptr) return;
    if (HasFailure()) std::cout << broker_->log() << std::flush;
    broker_->signal(SIGTERM);
    broker_->wait();
    fs::remove(etc() / "broker.log");
  }

  static fs::path etc() { return fs::path(stack().folder()) / "etc"; }
  std::string secured_port() const { return std::to_string(tls_.number()); }
  std::string certificates_port() const { return std::to_string(client_tls_.number()); }

  // Two authorities: ours, which signs the broker and alice, and a stranger's, which signs alice as well.
  static void make_certificates() {
    const auto in = [](const std::string& name) { return (etc() / name).string(); };
    const std::vector<std::string> key{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"};
    const auto make = [&](const std::string& name, const std::string& subject, const std::string& authority) {
      std::vector<std::string> command{"openssl",        "req",   "-x509",   "-days",           "2",
                                       "-subj",          subject, "-keyout", in(name + ".key"), "-out",
                                       in(name + ".pem")};
      command.insert(command.end(), key.begin(), key.end());
      if (!authority.empty())
        command.insert(command.end(), {"-CA", in(authority + ".pem"), "-CAkey", in(authority + ".key")});
      run_or_throw(command);
    };
    make("ours", "/CN=our authority", "");
    make("theirs", "/CN=their authority", "");
    make("server", "/CN=localhost", "ours");
    make("alice", "/CN=cert-alice", "ours");
    make("forged", "/CN=cert-alice", "theirs");
  }

  // What an operator changes in the shipped file: paths and ports, and an option uncommented.
  static std::string changed(const std::string& name, const std::vector<std::pair<std::string, std::string>>& changes) {
    std::ifstream file(fs::path(CHAT_TEST_SOURCE_DIR) / "conf" / name);
    std::stringstream all;
    all << file.rdbuf();
    auto text = all.str();
    for (const auto& [pattern, replacement] : changes) {
      const std::regex line(pattern, std::regex::multiline);
      if (!std::regex_search(text, line)) throw std::runtime_error(name + " has no line like " + pattern);
      text = std::regex_replace(text, line, replacement);
    }
    return text;
  }

  // Starts the broker on conf.d with that piece. `plugin_option` is one of the drop-in's, by its name, with a value.
  void install(const std::string& piece, const std::pair<std::string, std::string>& plugin_option = {}) {
    const auto certificate = (etc() / "server.pem").string();
    const std::vector<std::pair<std::string, std::string>> tls{
        {"^certfile .*", "certfile " + certificate}, {"^keyfile .*", "keyfile " + (etc() / "server.key").string()}};
    std::vector<std::pair<std::string, std::string>> drop_in{
        {"^plugin .*", "plugin " + stack().value("CHAT_PLUGIN")},
        {"^plugin_opt_postgres_uri_file .*",
         "plugin_opt_postgres_uri_file " + stack().folder() + "/secret/postgres-uri"},
        {"^#plugin_opt_journal_dir .*", "plugin_opt_journal_dir " + stack().value("CHAT_JOURNAL_DIR")}};
    if (!plugin_option.first.empty())
      drop_in.emplace_back("^#plugin_opt_" + plugin_option.first + " .*",
                           "plugin_opt_" + plugin_option.first + " " + plugin_option.second);
    std::vector<std::pair<std::string, std::string>> auth{
        {"^password_file .*", "password_file " + stack().value("CHAT_PASSWD")}};
    if (piece == "auth-certificate.conf") {
      auth.insert(auth.end(), tls.begin(), tls.end());
      auth.emplace_back("^cafile .*", "cafile " + (etc() / "ours.pem").string());
      auth.emplace_back("^listener 8885$", "listener " + certificates_port() + " 127.0.0.1");
    }
    auto listeners = tls;
    listeners.emplace_back("^listener 8883$", "listener " + secured_port() + " 127.0.0.1");
    listeners.emplace_back("^listener 8884$", "listener " + std::to_string(websocket_.number()) + " 127.0.0.1");
    listeners.emplace_back("^listener 1883 127.0.0.1$", "listener " + std::to_string(port()) + " 127.0.0.1");
    std::ofstream(etc() / "conf.d/00-mosquitto-chat.conf") << changed("mosquitto-chat.conf", drop_in);
    std::ofstream(etc() / "conf.d/05-auth.conf") << changed(piece, auth);
    std::ofstream(etc() / "conf.d/10-listeners.conf") << changed("listener-tls.conf", listeners);
    std::ofstream(etc() / "mosquitto.conf") << (geteuid() == 0 ? "user root\n" : "") << "log_dest stderr\ninclude_dir "
                                            << (etc() / "conf.d").string() << "\n";
    broker_ = std::make_unique<Background>(broker_command({"-c", (etc() / "mosquitto.conf").string()}),
                                           (etc() / "broker.log").string());
    eventually("the broker", [&] {
      if (!broker_->running()) throw std::runtime_error("the broker did not start:\n" + broker_->log());
      return broker_->times_in_log(" running") > 0;
    });
  }

  // A stock client publishes over TLS to bob; its exit code.
  int publish(const std::string& tls_port, const std::string& id, const std::vector<std::string>& credentials) {
    std::vector<std::string> command{"mosquitto_pub",
                                     "-h",
                                     "localhost",
                                     "-p",
                                     tls_port,
                                     "--cafile",
                                     (etc() / "ours.pem").string(),
                                     "-q",
                                     "1",
                                     "-t",
                                     direct_topic(bob_->options().user),
                                     "-m",
                                     text(id, "hello").dump()};
    command.insert(command.end(), credentials.begin(), credentials.end());
    return run(command).code;
  }

  // Bob listens by his password, on the listener of this machine.
  void bob_comes() {
    bob_ = std::make_unique<MqttClient>(port(), ClientOptions{.client_id = "bobs", .user = "bob"});
    bob_->connect();
    bob_->subscribe("chat/u/bob/#");
  }

  void expect_from(const std::string& user, const std::string& id) {
    const auto came =
        bob_->expect("a message " + id, [&](const Message& message) { return field(message, "id") == id; });
    EXPECT_EQ(field(came, "from"), user);
  }

  const Port tls_;
  const Port client_tls_;
  const Port websocket_;
  std::unique_ptr<Background> broker_;
  std::unique_ptr<MqttClient> bob_;
};

TEST_F(AuthConf, WithAPasswordFileUsersGetInByTheirPasswords) {
  install("auth-password-file.conf");
  bob_comes();
  EXPECT_EQ(publish(secured_port(), "p-1", {"-u", "alice", "-P", "demo"}), 0);
  expect_from("alice", "p-1");
  EXPECT_NE(publish(secured_port(), "p-2", {"-u", "alice", "-P", "wrong"}), 0);
  EXPECT_NE(publish(secured_port(), "p-3", {}), 0);
}

TEST_F(AuthConf, WithTokensUsersGetInByThemAndOthersByTheirPasswords) {
  const KeyFolder keys;
  install("auth-jwt.conf", {"jwt_key_file", keys.file("jwt-public.pem", p256().public_pem())});
  bob_comes();
  using std::chrono::system_clock;
  const auto end =
      std::chrono::duration_cast<std::chrono::seconds>(system_clock::now().time_since_epoch()).count() + 60;
  const auto token = p256().token({{"sub", "token-alice"}, {"exp", end}});
  EXPECT_EQ(publish(secured_port(), "t-1", {"-u", "token-alice", "-P", token}), 0);
  expect_from("token-alice", "t-1");
  EXPECT_EQ(publish(secured_port(), "t-2", {"-u", "carol", "-P", "demo"}), 0);
  expect_from("carol", "t-2");
  EXPECT_NE(publish(secured_port(), "t-3", {"-u", "carol", "-P", token}), 0);
  EXPECT_NE(publish(secured_port(), "t-4",
                    {"-u", "token-alice", "-P", ed25519().token({{"sub", "token-alice"}, {"exp", end}})}),
            0);
}

TEST_F(AuthConf, WithCertificatesTheirNamesAreTheUsers) {
  install("auth-certificate.conf");
  bob_comes();
  const auto by = [](const std::string& name) -> std::vector<std::string> {
    return {"--cert", (etc() / (name + ".pem")).string(), "--key", (etc() / (name + ".key")).string()};
  };
  EXPECT_EQ(publish(certificates_port(), "c-1", by("alice")), 0);
  expect_from("cert-alice", "c-1");
  auto as_bob = by("alice");
  as_bob.insert(as_bob.end(), {"-u", "bob", "-P", "demo"});
  EXPECT_EQ(publish(certificates_port(), "c-2", as_bob), 0);
  expect_from("cert-alice", "c-2");
  EXPECT_NE(publish(certificates_port(), "c-3", by("forged")), 0);
  EXPECT_NE(publish(certificates_port(), "c-4", {"-u", "alice", "-P", "demo"}), 0);
  EXPECT_EQ(publish(secured_port(), "c-5", {"-u", "alice", "-P", "demo"}), 0);
  expect_from("alice", "c-5");
}

}  // namespace
}  // namespace chat::test
