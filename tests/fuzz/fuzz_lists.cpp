// A manifest, a list of clips, a table of groups: the same bytes as each.
#include "data/clip_lists.hpp"
#include "data/clips.hpp"
#include "data/csv.hpp"
#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timbre;
  const auto text = fuzz::text_of(data, size);
  fuzz::allow_errors([&] { data::parse_csv(text, "x.csv"); });
  const auto file = fuzz::write("list.csv", text);
  fuzz::allow_errors([&] { data::read_list(file); });
  fuzz::allow_errors([&] { data::read_groups(file); });
  fuzz::allow_errors([&] {
    data::DatasetOptions options;
    options.manifest = file;
    data::index_clips(options);
  });
  return 0;
}
