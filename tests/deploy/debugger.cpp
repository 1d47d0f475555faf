// Objects for a debugger to look at; debugger.sh stops in look().
#include <cstddef>

#include <dsvl/base/matrix.hpp>
#include <dsvl/base/status.hpp>
#include <dsvl/base/view.hpp>

__attribute__((noinline)) static void look() { asm volatile(""); }

int main() {
  const dsvl::Status fine, broken = dsvl::fail(dsvl::Code::bad_file, "model.gguf: header of %d bytes", 3);
  const dsvl::Result<int> number = 42, none = dsvl::fail(dsvl::Code::not_found, "no such file");
  float values[] = {1, 2, 3, 4, 5, 6};
  const dsvl::View<float> whole(values, 2, 3), left(values, 2, 2, 3), nothing;
  const dsvl::View<const float> constant = whole;
  const dsvl::Volume<float> picture(values, 3, 1, 2);
  const std::byte weights[544] = {};
  const dsvl::Matrix matrix(dsvl::Format::q8_0, weights, 16, 32), empty;
  look();
  return fine.ok() && !broken.ok() && number && !none && constant.row(1) == left.row(1) && !nothing.data &&
                 picture.size() == 6 && !matrix.empty() && empty.empty()
             ? 0
             : 1;
}
