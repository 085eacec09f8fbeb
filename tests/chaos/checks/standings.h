// Guarantee 6, and history: what users are answered, and told without asking, in the end, is what a naive model counts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/chaos/checks/evidence.h"
#include "tests/chaos/workload/client.h"
#include "tests/support/crowd_model.h"

namespace chat::test {

// Tells the model everything that was done, and where PostgreSQL put it. Answers the conversations of which something
// is in doubt.
std::set<std::string> tell(const Evidence& evidence, CrowdModel* model);

// Asks the running system as each user.
std::vector<std::string> standings_wrong(const Evidence& evidence, Stack& stack,
                                         const std::vector<std::unique_ptr<ChaosClient>>& clients);

}  // namespace chat::test
