// A feature store whose checksum fits, with anything in it: used or refused, and described.
#include "bent_hdf5.hpp"
#include "data/feature_store.hpp"
#include "results/describe.hpp"
#include "storage/seal.hpp"
#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timbre;
  static ThreadPool pool(1);
  static const auto options = [] {
    data::DatasetOptions o;
    o.synthetic.emplace();
    o.synthetic->clips_per_genre = 1, o.synthetic->clip_seconds = 1, o.segment_seconds = 1;
    return o;
  }();
  static const features::FeatureOptions features;
  static const auto index = data::index_clips(options);
  static const auto stores = fuzz::folder() / "stores";
  static const auto whole = [] {
    const auto table = data::prepare_features(index, options, features, stores, pool);
    std::filesystem::copy_file(table.file, fuzz::folder() / "whole.h5");
    return std::pair(fuzz::folder() / "whole.h5", table.file);
  }();
  const auto file = fuzz::folder() / "bent.h5";
  const auto bent = fuzz::bend(whole.first, file, {data, size});
  if (!bent.bytes) storage::write_seal(file, file.string());
  std::filesystem::copy_file(file, whole.second, std::filesystem::copy_options::overwrite_existing);
  data::ExtractionHooks hooks;
  hooks.progress = [](std::int64_t, std::int64_t) { fail("no extraction here"); };
  fuzz::allow_errors([&] { data::load_features(index, options, features, stores, pool, hooks); });
  if (!bent.bytes) fuzz::allow_errors([&] { results::describe_file_here(file); });
  return 0;
}
