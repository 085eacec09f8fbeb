// A connection string that can't be read is refused with a sentence that holds no piece of it.
#include <gtest/gtest.h>

#include "storage/postgres_uri.h"

namespace chat::test {
namespace {

TEST(PostgresUri, WhatLibpqTakesIsTaken) {
  for (const auto* uri : {"postgresql://chat_plugin:p%40ss%2F@db.example.org:5432,other:5433/chat?sslmode=verify-full",
                          "postgres://host", "host=/run/postgresql dbname=chat user=me password='two words'",
                          "postgresql:///chat?host=/run/postgresql", "postgresql://[::1]:5432/chat", ""}) {
    EXPECT_EQ(postgres_uri_fault(uri), "") << uri;
  }
}

// Each is what comes of a password that was not written as the URI wants it, or of a slip before it.
TEST(PostgresUri, AWrongOneIsNotShown) {
  for (const auto* uri :
       {"postgresql://chat:can%zzary@host/chat", "postgresql://chat:can/ary@host/chat",
        "postgresql://chat:can@ary@host/chat", "postgresql://host/chat?x=1&canary", "postgresql:/chat:canary@host/chat",
        "postgrseql://chat:canary@host/chat", "canary", "password=canary host", "postgresql://chat:5432/canary@host",
        "postgresql://host:canary/chat", "host=db canary=1", "postgresql://host/chat?canary=1"}) {
    const auto fault = postgres_uri_fault(uri);
    EXPECT_NE(fault, "") << uri << " was taken";
    EXPECT_EQ(fault.find("can"), fault.find("can't")) << fault;
    EXPECT_EQ(fault.find("ary"), std::string::npos) << fault;
  }
}

}  // namespace
}  // namespace chat::test
