#include "plugin/core/directory.h"

#include <algorithm>

#include "plugin/core/place.h"

namespace chat {

Session& Directory::touch(const ClientRef& client, const std::function<void(Session&)>& dropped) {
  const auto found = sessions_.find(client.device);
  if (found != sessions_.end()) {
    auto& session = *found->second;
    if (session.handle == client.handle && session.user->name == client.user) return session;
    dropped(session);
    erase(session);
  }
  auto session = std::make_unique<Session>();
  session->device = client.device;
  session->user = user(client.user);
  session->handle = client.handle;
  session->generation = ++generations_;
  auto& made = *session;
  made.user->sessions.push_back(&made);
  sessions_.emplace(made.device, std::move(session));
  return made;
}

Session* Directory::find(const void* handle, std::string_view device) {
  auto& latest = latest_[latest_place(handle)];
  if (latest != nullptr && latest->handle == handle && latest->device == device) return latest;
  auto* session = find_device(device);
  if (session == nullptr || session->handle != handle) return nullptr;
  return latest = session;
}

// By the address: objects of the broker's allocator, a few hundred bytes each.
std::size_t Directory::latest_place(const void* handle) {
  return place_of<kLatest>(reinterpret_cast<std::uintptr_t>(handle));
}

Session* Directory::find_device(std::string_view device) {
  const auto found = sessions_.find(device);
  return found != sessions_.end() ? found->second.get() : nullptr;
}

Session* Directory::find_generation(std::string_view device, std::uint64_t generation) {
  auto* session = find_device(device);
  return session != nullptr && session->tap.generation == generation ? session : nullptr;
}

void Directory::erase(Session& session) {
  auto& sessions = session.user->sessions;
  sessions.erase(std::remove(sessions.begin(), sessions.end(), &session), sessions.end());
  auto& latest = latest_[latest_place(session.handle)];
  if (latest == &session) latest = nullptr;
  const auto device = session.device;  // a copy: the key must outlive the erasure
  sessions_.erase(device);
}

std::shared_ptr<User> Directory::user(std::string_view name) {
  if (auto known = find_user(name)) return known;
  // The last one to let go of a user takes it out of the index.
  std::weak_ptr<UserIndex> index = users_;
  std::shared_ptr<User> user(new User, [index](User* gone) {
    if (const auto alive = index.lock()) {
      const auto entry = alive->find(gone->name);
      if (entry != alive->end() && entry->second.expired()) alive->erase(entry);
    }
    delete gone;
  });
  user->name = name;
  users_->insert_or_assign(user->name, user);
  return user;
}

std::shared_ptr<User> Directory::find_user(std::string_view name) {
  const auto found = users_->find(name);
  return found != users_->end() ? found->second.lock() : nullptr;
}

}  // namespace chat
