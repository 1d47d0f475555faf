// Quotas of control groups, read from trees of made-up files as they are on machines of many kinds.
#include <doctest/doctest.h>

#include <dsvl/base/cgroup.hpp>
#include <dsvl/base/thread_pool.hpp>
#include <string>
#include <thread>

#include "../io/temporary_folder.hpp"

#if defined(__linux__)

using dsvl::available_threads;
using dsvl::cgroup_processors;

namespace {

const std::string kV2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string kV1 = "34 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct\n";
const std::string kOthers =
    "23 28 0:21 / /proc rw shared:14 - proc proc rw\n"
    "33 25 0:30 / /sys/fs/cgroup/cpuset rw shared:12 - cgroup cgroup rw,cpuset\n"
    "35 25 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n";

/// The files that the reader sees.
struct Tree : test::TemporaryFolder {
  Tree(const std::string& groups, const std::string& mounts) {
    write("proc/self/cgroup", groups);
    write("proc/self/mountinfo", kOthers + mounts);
  }
  void quota(const std::string& folder, const std::string& quota, const std::string& period) const {
    write(folder + "/cpu.cfs_quota_us", quota + "\n");
    write(folder + "/cpu.cfs_period_us", period + "\n");
  }
  [[nodiscard]] int processors() const { return cgroup_processors(path.string()); }
};

}  // namespace

TEST_CASE("version 2: the quota of the group that the process is in, rounded up to whole processors") {
  const Tree tree("0::/system.slice/dsvl.service\n", kV2);
  CHECK(tree.processors() == 0);
  const auto with = [&](const char* text) {
    tree.write("sys/fs/cgroup/system.slice/dsvl.service/cpu.max", text);
    return tree.processors();
  };
  CHECK(with("200000 100000\n") == 2);
  CHECK(with("150000 100000\n") == 2);  // systemd's CPUQuota=150%
  CHECK(with("100001 100000\n") == 2);
  CHECK(with("100000 100000\n") == 1);
  CHECK(with("1000 100000\n") == 1);
  CHECK(with("50000 10000") == 5);
  CHECK(with("max 100000\n") == 0);
}

TEST_CASE("version 2: a group around the process's own may allow less, up to the mount point") {
  const Tree tree("0::/kubepods/burstable/pod7/box\n", kV2);
  const std::string at = "sys/fs/cgroup/kubepods";
  tree.write(at + "/burstable/pod7/box/cpu.max", "max 100000\n");
  CHECK(tree.processors() == 0);
  tree.write(at + "/cpu.max", "1200000 100000\n");
  CHECK(tree.processors() == 12);
  tree.write(at + "/burstable/pod7/cpu.max", "300000 100000\n");
  CHECK(tree.processors() == 3);
  tree.write(at + "/burstable/pod7/box/cpu.max", "400000 100000\n");
  CHECK(tree.processors() == 3);
  tree.write(at + "/burstable/cpu.max", "200000 100000\n");
  CHECK(tree.processors() == 2);
  tree.write(at + "/burstable/pod8/cpu.max", "100000 100000\n");  // somebody else's
  tree.write("sys/fs/cpu.max", "100000 100000\n");                // above the hierarchy
  CHECK(tree.processors() == 2);
}

TEST_CASE("version 2: in a namespace of its own a container sees its group as the root") {
  const Tree tree("0::/\n", kV2);
  CHECK(tree.processors() == 0);
  tree.write("sys/fs/cgroup/cpu.max", "250000 100000\n");
  CHECK(tree.processors() == 3);
}

TEST_CASE("version 2: without a namespace, a mount that shows the container's group alone is looked at from there") {
  const Tree tree("0::/docker/4f15/inner\n",
                  "30 23 0:26 /docker/4f15 /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
                  "31 23 0:26 /docker/4f /other ro - cgroup2 cgroup rw\n");
  tree.write("sys/fs/cgroup/cpu.max", "400000 100000\n");
  CHECK(tree.processors() == 4);
  tree.write("sys/fs/cgroup/inner/cpu.max", "100000 100000\n");
  CHECK(tree.processors() == 1);
}

TEST_CASE("a mount that shows another part of the hierarchy stands for the group, unless a better one follows") {
  const std::string elsewhere = "30 23 0:26 /docker/aaaa /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
  for (const char* group : {"0::/docker/bbbb\n", "0::/docker/aaaabbbb\n", "0::/../bbbb\n"}) {
    CAPTURE(group);
    const Tree tree(group, elsewhere);
    tree.write("sys/fs/cgroup/cpu.max", "200000 100000\n");
    CHECK(tree.processors() == 2);
  }
  const Tree tree("0::/docker/bbbb\n", elsewhere + "31 23 0:26 / /host/cgroup ro - cgroup2 cgroup rw\n");
  tree.write("sys/fs/cgroup/cpu.max", "200000 100000\n");
  CHECK(tree.processors() == 0);
  tree.write("host/cgroup/docker/bbbb/cpu.max", "500000 100000\n");
  CHECK(tree.processors() == 5);
}

TEST_CASE("version 1: quota and period of the cpu controller, of the group and those around it") {
  const Tree tree("9:name=systemd:/elsewhere\n4:cpuset:/elsewhere\n2:cpu,cpuacct:/docker/4f15\n", kV1);
  const std::string at = "sys/fs/cgroup/cpu,cpuacct";
  CHECK(tree.processors() == 0);
  tree.quota(at, "-1", "100000");
  tree.quota(at + "/docker/4f15", "-1", "100000");
  CHECK(tree.processors() == 0);
  tree.quota(at + "/docker/4f15", "150000", "100000");
  CHECK(tree.processors() == 2);
  tree.quota(at + "/docker", "50000", "100000");
  CHECK(tree.processors() == 1);
  tree.quota(at + "/docker", "800000", "100000");
  CHECK(tree.processors() == 2);
  tree.write(at + "/docker/4f15/cpu.max", "100000 100000\n");  // a file of the other version
  CHECK(tree.processors() == 2);
}

TEST_CASE("version 1: a container sees the group of the host as the root of its mount") {
  const Tree tree("2:cpuacct,cpu:/docker/4f15\n",
                  "34 25 0:29 /docker/4f15 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpuacct,cpu\n");
  tree.quota("sys/fs/cgroup/cpu", "300000", "100000");
  CHECK(tree.processors() == 3);
}

TEST_CASE("where both versions are mounted the lesser quota counts") {
  const Tree tree("2:cpu:/a\n0::/b\n",
                  "34 25 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
                  "36 25 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  CHECK(tree.processors() == 0);
  tree.quota("sys/fs/cgroup/cpu/a", "400000", "100000");
  CHECK(tree.processors() == 4);
  tree.write("sys/fs/cgroup/unified/b/cpu.max", "200000 100000\n");
  CHECK(tree.processors() == 2);
  tree.quota("sys/fs/cgroup/cpu/a", "100000", "100000");
  CHECK(tree.processors() == 1);
}

TEST_CASE("names with blanks and backslashes are found where mountinfo says they are") {
  const Tree tree("0::/a b/c:d\n", "30 23 0:26 /a\\040b /mnt/control\\040groups\\134x rw - cgroup2 cgroup2 rw\n");
  tree.write("mnt/control groups\\x/c:d/cpu.max", "700000 100000\n");
  CHECK(tree.processors() == 7);
}

TEST_CASE("files that make no sense limit nobody") {
  const Tree tree("0::/a\n", kV2);
  for (const char* text : {"", "\n", " ", "max", "100000", "100000 ", " 100000", "0 100000\n", "100000 0\n", "-1 100000\n",
                           "-100000 -100000", "1e5 100000\n", "100000 100000 1\n", "100000x 100000\n",
                           "99999999999999999999999 1\n", "9223372036854775807 1\n", "0x100 100", "\xff\xfe 7"}) {
    CAPTURE(text);
    tree.write("sys/fs/cgroup/a/cpu.max", text);
    CHECK(tree.processors() == 0);
  }
  tree.write("sys/fs/cgroup/a/cpu.max", "9223372036854775807 9223372036854775807");
  CHECK(tree.processors() == 1);
  const std::string longest(10000, 'x');
  for (const std::string& groups : {std::string(), std::string("0::\n"), std::string("0:\n0\n::\n:::\n\n"), longest,
                                    "0::/" + longest + "\n", "0::" + std::string(10000, '/'), std::string(1, '\0')}) {
    const Tree other(groups, kV2);
    other.write("sys/fs/cgroup/cpu.max", "max 100000");
    CHECK(other.processors() == 0);
  }
  for (const std::string& mounts :
       {std::string(), std::string("30\n"), std::string("30 23 0:26 / /sys/fs/cgroup rw cgroup2 cgroup2 rw\n"),
        std::string("30 23 0:26 / /sys/fs/cgroup rw - \n"), std::string(" - - - - - - - cgroup2\n"), longest,
        "30 23 0:26 / /" + longest + " rw - cgroup2 cgroup2 rw\n", std::string("30 23 0:26 \\ \\1 - cgroup2 x x\n")}) {
    const Tree other("0::/a\n", mounts);
    other.write("sys/fs/cgroup/a/cpu.max", "100000 100000");
    CHECK(other.processors() == 0);
  }
}

TEST_CASE("a line that is too long hides no other") {
  const std::string overlay = "29 1 0:30 / /data rw - overlay overlay rw,lowerdir=" + std::string(9000, 'l') + "\n";
  const Tree tree("1:" + std::string(5000, 'n') + ":/x\n0::/a\n", overlay + kV2);
  tree.write("sys/fs/cgroup/a/cpu.max", "300000 100000\n");
  CHECK(tree.processors() == 3);
}

TEST_CASE("without files there is no limit, and the default pool has no more threads than the real ones allow") {
  const test::TemporaryFolder nothing;
  CHECK(cgroup_processors(nothing.path.string()) == 0);
  CHECK(cgroup_processors(std::string(5000, 'x')) == 0);
  const int allowed = cgroup_processors();
  CHECK(available_threads() >= 1);
  if (allowed > 0) CHECK(available_threads() <= allowed);
}

#endif  // __linux__
