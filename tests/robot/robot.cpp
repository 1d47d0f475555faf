// The parts of dsvl-robot, each alone. robot.py tests the program.
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <thread>

#include "capture.hpp"
#include "message_frame.hpp"
#include "watcher.hpp"

using namespace robot;
using namespace std::chrono_literals;

namespace {

std::string error_of(const ImageLayout& image, std::size_t bytes) {
  const std::vector<std::uint8_t> data(bytes);
  const auto pixels = image_pixels(image, data);
  return pixels ? std::string() : pixels.error().text();
}
bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

std::string wrong_in(const char* questions) {
  const auto read = read_questions(questions);
  return read ? std::string() : read.error().text();
}

/// A source of frames of one gray level, as many as it is told.
class Levels final : public FrameSource {
 public:
  explicit Levels(std::vector<std::uint8_t> levels) : levels_(std::move(levels)) {}
  dsvl::Result<bool> next(Frame& frame) override {
    if (next_ == levels_.size()) return false;
    frame.bytes.assign(64 * 48, levels_[next_++]);
    frame.pixels = {frame.bytes.data(), 64, 48, dsvl::PixelFormat::gray};
    frame.taken = Clock::now();
    return true;
  }

 private:
  std::vector<std::uint8_t> levels_;
  std::size_t next_ = 0;
};

}  // namespace

// --- encodings -----------------------------------------------------------------------------------

TEST_CASE("every encoding that is taken is read in place, and the same picture shows the same in each") {
  // A picture of one gray, 6 x 4: 130 in RGB, which is 128 as the Y of video.
  for (const Encoding& encoding : kEncodings) {
    INFO(std::string(encoding.name));
    const bool is_yuv = dsvl::is_yuv(encoding.format);
    std::vector<std::uint8_t> bytes(image_bytes(encoding.format, 6, 4), is_yuv ? 128 : 130);
    const auto pixels = image_pixels({encoding.name, 6, 4}, bytes);
    REQUIRE(pixels);
    CHECK(pixels->data == bytes.data());
    dsvl::Frames frames;
    REQUIRE(frames.add(*pixels, 0ms));
    for (int i = 0; i < 3 * 6 * 4; ++i) CHECK(frames.pixels(0).data[i] == 130);
    bytes.pop_back();
    CHECK(has(error_of({encoding.name, 6, 4}, bytes.size()), "takes"));
  }
}

TEST_CASE("colours stand where their encoding says") {
  const std::uint8_t bgr[] = {10, 20, 30, 40, 50, 60};
  dsvl::Frames frames({.most = 1});
  REQUIRE(frames.add(*image_pixels({"bgr8", 2, 1}, bgr), 0ms));
  CHECK(frames.pixels(0).data[0] == 30);
  const std::uint8_t uyvy[] = {128, 16, 128, 235}, yuyv[] = {16, 128, 235, 128};
  for (const auto& [name, bytes] : {std::pair("yuv422", uyvy), std::pair("uyvy", uyvy), std::pair("yuv422_yuy2", yuyv),
                                    std::pair("yuyv", yuyv)}) {
    REQUIRE(frames.add(*image_pixels({name, 2, 1}, std::span(bytes, 4)), 0ms));
    CHECK(frames.pixels(0).data[0] == 0);
    CHECK(frames.pixels(0).data[5] == 255);
  }
  const std::uint8_t mono16[] = {0xFF, 0x12};  // 0x12FF, low byte first
  REQUIRE(frames.add(*image_pixels({"mono16", 1, 1}, mono16), 0ms));
  CHECK(frames.pixels(0).data[0] == 0x12);
}

TEST_CASE("rows may be longer than their pixels, and the last one need not be") {
  std::vector<std::uint8_t> bytes(2 * 32 + 3 * 8, 7);
  const auto pixels = image_pixels({"rgb8", 8, 3, 32}, bytes);
  REQUIRE(pixels);
  CHECK(pixels->row(2) == bytes.data() + 64);
  CHECK(image_bytes(dsvl::PixelFormat::nv12, 6, 4) == 36);
  CHECK(image_bytes(dsvl::PixelFormat::nv12, 6, 4, 8) == 4 * 8 + 8 + 6);
  CHECK(image_bytes(dsvl::PixelFormat::nv12, 5, 3) == 3 * 5 + 6 + 6);  // odd: chroma as if a column and a row followed
  CHECK(has(error_of({"rgb8", 8, 3, 20}, 1000), "its step is 20"));
}

TEST_CASE("what is not taken is refused by name, with what to do") {
  CHECK(has(error_of({"bayer_rggb8", 4, 4}, 16), "image_proc"));
  CHECK(has(error_of({"16UC1", 4, 4}, 32), "depth"));
  CHECK(has(error_of({"8UC3", 4, 4}, 48), "8UC3"));
  CHECK(has(error_of({"nv24", 4, 4}, 48), "4:4:4"));
  CHECK(has(error_of({"", 4, 4}, 48), "taken are rgb8, bgr8"));
  CHECK(has(error_of({"mono16", 4, 4, 8, true}, 32), "is_bigendian"));
  CHECK(error_of({"mono8", 4, 4, 4, true}, 16).empty());  // a byte has no order
  CHECK(has(error_of({"mono8", 0, 4}, 16), "0 x 4"));
  CHECK(has(error_of({"mono8", 4'000'000'000, 4'000'000'000, 4'000'000'000}, 16), "sides"));
}

TEST_CASE("a message of ROS becomes a frame that keeps it, and is as old as its stamp says") {
  struct Message {  // the members of sensor_msgs/msg/Image that are read
    std::string encoding = "bgr8";
    std::uint32_t width = 2, height = 2, step = 8;
    std::uint8_t is_bigendian = 0;
    std::vector<std::uint8_t> data = std::vector<std::uint8_t>(16, 9);
  };
  auto message = std::make_shared<Message>();
  const std::uint8_t* const data = message->data.data();
  auto frame = frame_of_message(std::shared_ptr<const Message>(message), 300ms);
  REQUIRE(frame);
  CHECK(frame->pixels.data == data);
  CHECK(frame->pixels.row(1) == data + 8);
  CHECK(Clock::now() - frame->taken >= 300ms);
  CHECK(message.use_count() == 2);
  FrameSlot slot;
  slot.put(*frame);
  Frame taken;
  REQUIRE(slot.take(taken, 0ms) == FrameSlot::Taken::frame);
  CHECK(taken.pixels.data == data);
  taken = Frame();
  CHECK(message.use_count() == 1);
  const auto ahead = frame_of_message(message, -1s);
  CHECK(ahead->taken <= Clock::now());
  message->step = 5;
  CHECK(has(frame_of_message(message, 0ms).error().text(), "step is 5"));
}

TEST_CASE("raw frames are described in a word") {
  RawFormat format;
  CHECK(read_raw_format("640x480:bgr8", format).empty());
  CHECK(format.width == 640);
  CHECK(format.height == 480);
  CHECK(format.encoding == "bgr8");
  for (const char* wrong : {"", "640", "640x480", "640x480:", "x:bgr8", "-1x4:bgr8", "640x480bgr8", "0x0:bgr8",
                            "99999x99999:bgr8", "640x480:bgr9"})
    CHECK_MESSAGE(!read_raw_format(wrong, format).empty(), wrong);
}

// --- hysteresis, processors ----------------------------------------------------------------------

TEST_CASE("a gate opens and closes at its own thresholds, once enough frames say so one after another") {
  Hysteresis gate({0.8, 0.3, 2});
  CHECK(!gate.observe(0.9));
  CHECK(!gate.observe(0.5));  // in between: begins anew
  CHECK(!gate.observe(0.9));
  CHECK(gate.observe(0.8));
  CHECK(gate.on());
  CHECK(!gate.observe(0.31));
  CHECK(!gate.observe(0.3));
  CHECK(gate.on());
  CHECK(gate.observe(0));
  CHECK(!gate.on());
}

TEST_CASE("what is used beyond the share is paid for in time, and idle time is not saved up") {
  CpuDebt debt(0.5);
  CHECK(debt.charge(0, 100) == 0);                          // idle
  CHECK(debt.charge(0.2, 0.1) == doctest::Approx(0.3));     // two threads for 0.1 s: 0.2 = 0.5 * (0.1 + 0.3)
  CHECK(debt.charge(0, 0.1) == doctest::Approx(0.2));       // slept too little
  CHECK(debt.charge(0, 5) == 0);
  CHECK(debt.charge(0.1, 0.1) == doctest::Approx(0.1));
}

// --- frames --------------------------------------------------------------------------------------

TEST_CASE("a slot has the newest frame, counts those before it, and gives buffers back") {
  FrameSlot slot;
  Frame frame, taken;
  frame.bytes = {1};
  slot.put(frame);
  frame.bytes = {2};
  slot.put(frame);
  CHECK(frame.bytes == std::vector<std::uint8_t>{1});  // what nobody looked at is filled again
  REQUIRE(slot.take(taken, 0ms) == FrameSlot::Taken::frame);
  CHECK(taken.bytes == std::vector<std::uint8_t>{2});
  CHECK(taken.number == 2);
  CHECK(slot.take(taken, 0ms) == FrameSlot::Taken::none);
  slot.put(frame);
  slot.close();
  CHECK(slot.take(taken, 10ms) == FrameSlot::Taken::frame);  // what was put in before the end still counts
  CHECK(taken.number == 3);
  CHECK(slot.take(taken, 10ms) == FrameSlot::Taken::ended);
  CHECK_FALSE(slot.wait_until_wanted());
}

TEST_CASE("the interval of frames is the longest of the last few gaps") {
  FramePace pace;
  Clock::time_point at{};
  pace.note(at);
  CHECK(pace.interval() == 0ns);
  pace.note(at += 500ms);
  CHECK(pace.interval() == 500ms);
  for (int i = 0; i < 8; ++i) pace.note(at += 40ms);
  CHECK(pace.interval() == 40ms);
}

TEST_CASE("a source that waits loses no frame, however slowly they are taken") {
  Levels source({1, 2, 3, 4, 5});
  FrameSlot slot;
  Capture capture(source, slot, {.each = true});
  Frame frame;
  std::vector<int> seen;
  for (;;) {
    const auto taken = slot.take(frame, 1000ms);
    if (taken == FrameSlot::Taken::ended) break;
    if (taken == FrameSlot::Taken::none) continue;
    seen.push_back(frame.bytes[0]);
    std::this_thread::sleep_for(2ms);
  }
  CHECK(capture.join().ok());
  CHECK(seen == std::vector<int>{1, 2, 3, 4, 5});
}

TEST_CASE("what a library behind a source throws is the error of the reading, with its words") {
  struct : FrameSource {
    dsvl::Result<bool> next(Frame&) override { throw std::runtime_error("the camera was pulled out"); }
  } source;
  FrameSlot slot;
  Capture capture(source, slot, {});
  Frame frame;
  while (slot.take(frame, 1000ms) != FrameSlot::Taken::ended) {}
  const dsvl::Status error = capture.join();
  CHECK(error.code() == dsvl::Code::io);
  CHECK(std::string(error.text()).find("the camera was pulled out") != std::string::npos);
}

// --- questions -----------------------------------------------------------------------------------

TEST_CASE("questions are read from JSON, and what is wrong with one is said with its number and its name") {
  const auto read = read_questions(R"([
    {"name": "people", "ask": "How many people are there?", "schema": {"type": "integer"}, "deadline_ms": 2000},
    {"gate": "Is the door open?", "on": 0.8, "off": 0.3, "hold": 3, "least_mass": 0.5, "temperature": 2}])");
  REQUIRE_MESSAGE(read.has_value(), std::string(read.error().text()));
  REQUIRE(read->size() == 2);
  CHECK(read->at(0).name == "people");
  CHECK(read->at(0).schema.has_value());
  CHECK(read->at(0).deadline == 2000ms);
  CHECK(read->at(1).is_gate);
  CHECK(read->at(1).name == "Is the door open?");
  CHECK(read->at(1).thresholds.hold == 3);
  CHECK(has(wrong_in("{}"), "array"));
  CHECK(has(wrong_in("[1]"), "question 1"));
  CHECK(has(wrong_in(R"([{"ask": "A?"}, {}])"), "question 2 needs either"));
  CHECK(has(wrong_in(R"([{"ask": "A?", "gate": "B?"}])"), "either"));
  CHECK(has(wrong_in(R"([{"ask": ""}])"), "a text"));
  CHECK(has(wrong_in(R"([{"ask": "A?", "hold": 2}])"), "\"hold\", which is not known"));
  CHECK(has(wrong_in(R"([{"gate": "A?", "on": 2}])"), "\"on\" is 2"));
  CHECK(has(wrong_in(R"([{"gate": "A?", "on": 0.2, "off": 0.9}])"), "\"off\" is above"));
  CHECK(has(wrong_in(R"([{"gate": "A?", "hold": 1.5}])"), "whole number"));
  CHECK(has(wrong_in(R"([{"ask": "A?", "schema": {"type": "intger"}}])"), "question 1, schema"));
}

// --- watching ------------------------------------------------------------------------------------

namespace {

struct Watched {
  std::vector<Json> lines;
  /// Lines of one kind.
  [[nodiscard]] std::vector<Json> of(const char* kind) const {
    std::vector<Json> out;
    for (const Json& line : lines)
      if (line["kind"] == kind) out.push_back(line);
    return out;
  }
};

/// What a watcher says to frames of these levels, none of which is dropped.
Watched watch(std::vector<std::uint8_t> levels, const char* questions, WatchOptions options = {}) {
  static const auto model =
      dsvl::Model::load(dsvl::utf8_to_path("examples/models/tiny-vl"), {.constraints = &dsvl::kConstraints});
  REQUIRE(model);
  Watched out;
  options.live = false;
  const auto read = read_questions(questions);
  REQUIRE(read);
  auto watcher = Watcher::open(*model, *read, options, [&](const Json& line) { out.lines.push_back(line); });
  REQUIRE(watcher);
  Levels source(std::move(levels));
  FrameSlot slot;
  Capture capture(source, slot, {.each = true});
  (*watcher)->run(slot, dsvl::CancelToken());
  CHECK(capture.join().ok());
  out.lines.push_back((*watcher)->counts("summary"));
  return out;
}

}  // namespace

TEST_CASE("a frame like the one before costs no answer, and small steps add up until they are a change") {
  const Watched watched = watch({100, 100, 108, 116, 116, 30}, R"([{"ask": "What is it?", "max_tokens": 3}])");
  const auto answers = watched.of("answer");
  REQUIRE(answers.size() == 3);
  CHECK(answers[0]["frame"] == 1);
  CHECK(answers[1]["frame"] == 4);  // 8 of 255 is none with a tolerance of 12, 16 is
  CHECK(answers[2]["frame"] == 6);
  CHECK(answers[0]["value"].is_string());
  const auto unchanged = watched.of("unchanged");
  REQUIRE(unchanged.size() == 2);
  CHECK(unchanged[0]["frame"] == 3);
  CHECK(unchanged[0]["frames"] == 2);
  CHECK(unchanged[1]["frames"] == 1);
  CHECK(watched.lines.back()["unchanged"] == 3);
  CHECK(watched.lines.back()["dropped"] == 0);
}

TEST_CASE("answers have the type that their schema says, or none when they were cut off") {
  const Watched watched = watch({100}, R"([
      {"name": "a", "ask": "Is it red?", "schema": {"enum": [true, false]}},
      {"name": "b", "ask": "Describe it.", "max_tokens": 2, "schema": {"type": "string", "minLength": 50}}])");
  const auto answers = watched.of("answer");
  REQUIRE(answers.size() == 2);
  CHECK(answers[0]["question"] == "a");
  CHECK(answers[0]["value"].is_boolean());
  CHECK(answers[1]["value"].is_null());
  CHECK(answers[1]["finish"] == "length");
  CHECK(answers[1].contains("text"));
}

TEST_CASE("frames that show the same say the same to a gate again, for nothing") {
  // Whatever the model makes of a gray picture, it is at least 0, so the gate opens with the third frame.
  const Watched watched =
      watch({100, 100, 100, 100}, R"([{"gate": "Is it red?", "on": 0, "off": 0, "hold": 3}])");
  const auto gates = watched.of("gate");
  REQUIRE(gates.size() == 2);
  CHECK(gates[0]["value"] == false);
  CHECK(gates[0]["mass"] > 0);
  CHECK(gates[1]["frame"] == 3);
  CHECK(gates[1]["value"] == true);
  CHECK(gates[1]["changed"] == true);
  CHECK(gates[1]["probability"] == gates[0]["probability"]);
  CHECK(watched.lines.back()["gates"] == 1);  // one was computed
}

TEST_CASE("a gate counts no frame to which yes and no were unlikely") {
  const auto gates =
      watch({100, 20}, R"([{"gate": "What is in the image?", "on": 0, "least_mass": 0.999, "off": 0}])").of("gate");
  REQUIRE(gates.size() == 2);
  for (const Json& gate : gates) CHECK((gate["mass"] >= 0.999) == gate["changed"]);
  CHECK(gates[0]["value"] == false);
}

TEST_CASE("a deadline that has passed is said, and the frame is not asked about") {
  const Watched watched = watch({100}, R"([{"ask": "Describe the image.", "deadline_ms": 1}])");
  CHECK(watched.of("answer").empty());
  CHECK(watched.of("deadline").size() + watched.of("stale").size() == 1);
}

TEST_CASE("a question that comes too late keeps nobody waiting, and is the first about the next frame") {
  const Watched watched = watch({100, 20}, R"([{"name": "a", "ask": "Describe the image."},
      {"name": "b", "ask": "Describe the image.", "deadline_ms": 1}, {"name": "c", "ask": "Count the shapes."}])");
  std::string order;
  for (const Json& line : watched.lines)
    if (line.contains("question")) order += line["question"].get<std::string>();
  CHECK_MESSAGE(order == "acbac", order);  // b is out of time about the first picture, and cut off about the second
  const auto stale = watched.of("stale");
  REQUIRE(!stale.empty());
  CHECK(stale[0]["questions"] == Json{"b"});
  CHECK(watched.of("deadline").size() == 1);
}
