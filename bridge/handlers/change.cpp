#include "bridge/handlers/change.h"

namespace chat {

Reply change_once(const Services& services, const Request& request,
                  const std::function<nlohmann::ordered_json(RequestChanges&)>& work) {
  // dump() sorts an object's names: the same request is the same text, however a client wrote it.
  const RequestKey key{request.user, request.id, request.operation, request.fields.dump(), services.now()};
  const auto answer = services.requests->once(key, [&](RequestChanges& changes) { return work(changes).dump(); });
  return Reply::success(nlohmann::ordered_json::parse(answer));
}

}  // namespace chat
