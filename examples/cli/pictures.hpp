// Pictures as a user names them: files, pipes, standard input; and what the model saw of them.
#ifndef DSVL_CLI_PICTURES_HPP
#define DSVL_CLI_PICTURES_HPP

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "library.hpp"

#include <dsvl/io/json_writer.hpp>

#include "command_line.hpp"
#include "setup.hpp"

namespace cli {

/// A picture with the name that messages call it by. What came through a pipe is kept here; files are read when asked
/// about.
struct NamedPicture {
  std::string name;
  std::filesystem::path file;    ///< empty: `bytes` are the file
  std::vector<std::byte> bytes;
  std::optional<dsvl::Rect> region = {};  ///< of the source; none: all of it

  [[nodiscard]] dsvl::Picture picture() const {
    const dsvl::Picture whole = file.empty() ? dsvl::Picture(std::span<const std::byte>(bytes)) : dsvl::Picture(file);
    return region ? whole.region(*region) : whole;
  }
};

/// For a session, in their order; good as long as the pictures are.
std::vector<dsvl::Picture> pictures_of(std::span<const NamedPicture> pictures);

/// A picture from an argument, read when it is a pipe. Prints what is wrong and sets `exit`, so that a slip shows
/// before a model is loaded.
std::optional<NamedPicture> find_picture(const std::string& argument, int& exit);
/// All that -i named; an exit code when one cannot be had.
std::optional<int> find_pictures(const std::vector<std::string>& arguments, std::vector<NamedPicture>& to);
/// A part of a picture, as --region names it.
struct NamedRegion {
  std::size_t picture;  ///< number of the -i in front of it
  dsvl::Rect part;
};
/// --region: reads X,Y,W,H, a part of the last picture of `images`, which is filled by the time it is called.
void add_region_option(CommandLine& to, const std::vector<std::string>& images, std::vector<NamedRegion>& regions);
/// Puts every region behind the picture that it is a part of.
void add_regions(const std::vector<NamedRegion>& regions, std::vector<NamedPicture>& pictures);
/// Standard input can be one thing: `taken` says what it is for besides pictures ("the question"), if anything. An
/// exit code when these pictures want it too.
std::optional<int> check_input(const CommandLine& line, const std::vector<std::string>& arguments,
                               std::string_view taken);

/// Whether there is something that gives bytes and is no file: a named pipe, a device.
bool is_pipe(const std::filesystem::path& path);
/// "permission denied", "no such file" and their like, when a file cannot be had; empty when it seems it can.
std::string why_unreadable(const std::filesystem::path& path);

/// Whether a file has a name as pictures have. Kinds that are not decoded count, so that an error can say so.
bool has_name_of_picture(const std::filesystem::path& path);

/// Files as terminals write them when they are dropped onto one: several, in quotes, with "\ " for a space (not on
/// Windows), "~" for the home directory. A line that is itself the name of a file is that file, spaces and all.
std::vector<std::string> split_files(const std::string& line);

/// Which of the question's pictures the answer's error is about; none when it is about something else.
std::optional<std::size_t> failed_picture(const dsvl::Answer& answer);
/// The text of an error about a picture, which begins with its name once.
std::string name_picture(const NamedPicture& picture, std::string text);
/// The error's text, with the picture's name where it is about one.
std::string describe_error(const dsvl::Answer& answer, std::span<const NamedPicture> pictures);

/// Prints the answer's error, if any, and what to do about it; returns the program's exit code.
int give_up(const dsvl::Answer& answer, std::span<const NamedPicture> pictures, const Talk& talk);

/// A line for each picture that came with the question, on stderr, for --verbose.
void print_seen(const dsvl::Answer& answer, std::span<const NamedPicture> pictures);
/// What print_seen() says of one picture.
std::string seen_text(const dsvl::SeenPicture& seen);
/// The same as a JSON array; with what the answer looked at, where that was kept.
void write_seen(dsvl::json::Writer& w, const dsvl::Answer& answer, std::span<const NamedPicture> pictures);

}  // namespace cli

#endif  // DSVL_CLI_PICTURES_HPP
