#include "tests/support/websocket_relay.h"

#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket.hpp>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>

namespace chat::test {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

tcp::endpoint loopback(int port) {
  return {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)};
}

// Lives as long as one of its operations is under way.
class RelayedConnection : public std::enable_shared_from_this<RelayedConnection> {
  // What is done when an operation is over, unless it failed: then both ends are closed.
  template <typename Next>
  auto then(Next next) {
    return [self = shared_from_this(), next](error_code error, const auto&... results) {
      if (error) {
        error_code ignored;  // it may have ended by itself
        self->client_.close(ignored);
        self->broker_.next_layer().close(ignored);
      } else {
        next(*self, results...);
      }
    };
  }

 public:
  RelayedConnection(tcp::socket client, std::atomic<int>& opened)
      : client_(std::move(client)), broker_(client_.get_executor()), opened_(opened) {}

  void open(int broker_port) {
    broker_.binary(true);
    broker_.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
      request.set(boost::beast::http::field::sec_websocket_protocol, "mqtt");
    }));
    broker_.next_layer().async_connect(loopback(broker_port), then([](auto& self) {
                                         self.broker_.async_handshake("127.0.0.1", "/", self.then([](auto& both) {
                                           ++both.opened_;
                                           both.to_broker();
                                           both.to_client();
                                         }));
                                       }));
  }

 private:
  void to_broker() {
    client_.async_read_some(asio::buffer(from_client_), then([](auto& self, std::size_t size) {
                              self.broker_.async_write(asio::buffer(self.from_client_.data(), size),
                                                       self.then([](auto& again, std::size_t) { again.to_broker(); }));
                            }));
  }

  void to_client() {
    broker_.async_read_some(from_broker_, 0, then([](auto& self, std::size_t) {
                              asio::async_write(self.client_, self.from_broker_.data(),
                                                self.then([](auto& again, std::size_t) {
                                                  again.from_broker_.clear();
                                                  again.to_client();
                                                }));
                            }));
  }

  tcp::socket client_;
  websocket::stream<tcp::socket> broker_;
  std::array<char, 65536> from_client_{};
  boost::beast::flat_buffer from_broker_;
  std::atomic<int>& opened_;
};

}  // namespace

class WebsocketRelay::Relay {
 public:
  explicit Relay(int broker_port) : broker_port_(broker_port), acceptor_(io_, loopback(0)) {
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Relay() {
    io_.stop();
    thread_.join();
  }

  int port() const { return acceptor_.local_endpoint().port(); }
  int opened() const { return opened_; }

 private:
  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket client) {
      if (!error) std::make_shared<RelayedConnection>(std::move(client), opened_)->open(broker_port_);
      accept();
    });
  }

  const int broker_port_;
  std::atomic<int> opened_{0};
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  std::thread thread_;
};

WebsocketRelay::WebsocketRelay(int broker_port) : relay_(std::make_unique<Relay>(broker_port)) {}

WebsocketRelay::~WebsocketRelay() = default;

int WebsocketRelay::port() const {
  return relay_->port();
}

int WebsocketRelay::opened() const {
  return relay_->opened();
}

}  // namespace chat::test
