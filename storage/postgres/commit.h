// The commit of a batch.
#pragma once

#include "storage/postgres/batch_plan.h"
#include "storage/postgres/session.h"
#include "storage/types.h"

namespace chat {

// One transaction. Throws what MessageStore::commit() does, and libpqxx's exceptions where nothing was committed.
CommitResult commit_batch(PostgresSession& session, const Batch& batch, const BatchPlan& plan);

// nullopt: a journal never seen.
std::optional<Position> read_checkpoint(PostgresSession& session, const Uuid& journal);

// COMMIT. Throws StoreInDoubt where it can't be known whether it was carried out.
void commit_or_doubt(PostgresSession& session, pqxx::work& transaction);

}  // namespace chat
