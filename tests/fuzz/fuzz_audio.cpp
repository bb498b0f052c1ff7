// An audio file, of any kind that its bytes make it.
#include "audio/decode.hpp"
#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timbre;
  const auto file = fuzz::write("song.wav", fuzz::text_of(data, size));
  fuzz::allow_errors([&] {
    audio::AudioReader reader(file, 8000);
    std::vector<float> block(4096);
    for (int i = 0; i < 200 && reader.read(block) > 0; ++i) {
    }
  });
  return 0;
}
