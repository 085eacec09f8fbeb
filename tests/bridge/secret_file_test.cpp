#include "storage/secret_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>
#include <string>

#include "tests/bridge/temp_folder.h"

namespace chat {
namespace {

class SecretFileTest : public ::testing::Test {
 protected:
  std::string file(const std::string& contents) {
    std::string path = folder_.path("password");
    std::ofstream(path, std::ios::binary) << contents;
    return path;
  }

  test::TempFolder folder_;
};

TEST_F(SecretFileTest, IsTheFirstLineWithoutItsEnd) {
  EXPECT_EQ(read_secret(file("secret")), "secret");
  EXPECT_EQ(read_secret(file("secret\n")), "secret");
  EXPECT_EQ(read_secret(file("with space \r\nmore\n")), "with space ");
}

TEST_F(SecretFileTest, AFileWithoutOneIsNamed) {
  for (const std::string contents : {"", "\n", "\r\n", "\nsecret"}) {
    try {
      read_secret(file(contents));
      FAIL() << "took " << testing::PrintToString(contents);
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find(folder_.path("password")), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW(read_secret(folder_.path("missing")), std::runtime_error);
}

}  // namespace
}  // namespace chat
