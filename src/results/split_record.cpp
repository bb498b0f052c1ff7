#include "results/split_record.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::results {

namespace {

using storage::H5File;

constexpr const char* attributes[] = {"leaks", "clip_share_in_train", "artist_share_in_train"};

std::int64_t size_of(const auto& v) { return static_cast<std::int64_t>(v.size()); }
std::string percent(double share) { return fmt::format("{:.1f}%", 100 * share); }

/// One column of a table of structs.
template <class T, class Row, class F>
std::vector<T> column(const std::vector<Row>& rows, F&& f) {
  std::vector<T> out;
  for (const auto& row : rows) out.push_back(f(row));
  return out;
}

void require_rows(const H5File& file, const std::string& object, std::size_t found, std::size_t wanted) {
  if (found != wanted)
    fail("{}: is damaged: {} has another length than the arrays it belongs to",
         printable(file.path().string()), object);
}

void write_shares(H5File& file, const std::vector<data::LeakShare>& shares) {
  const auto texts = [&](const char* name, auto member) {
    file.write_texts(std::string("/split/shares/") + name,
                     column<std::string>(shares, [&](const auto& s) { return s.*member; }));
  };
  const auto counts = [&](const char* name, auto member) {
    file.write(std::string("/split/shares/") + name,
               column<std::int32_t>(shares, [&](const auto& s) { return std::int32_t(s.*member); }),
               {size_of(shares)});
  };
  texts("part", &data::LeakShare::part), texts("other", &data::LeakShare::other);
  texts("relation", &data::LeakShare::relation);
  counts("clips", &data::LeakShare::clips), counts("known", &data::LeakShare::known);
  counts("found", &data::LeakShare::found);
  file.write("/split/shares/share", column<double>(shares, [](const auto& s) { return s.share(); }),
             {size_of(shares)});
}

std::vector<data::LeakShare> read_shares(const H5File& file) {
  const std::string group = "/split/shares/";
  const auto part = file.read_texts(group + "part"), other = file.read_texts(group + "other"),
             relation = file.read_texts(group + "relation");
  const auto clips = file.read_ints(group + "clips"), known = file.read_ints(group + "known"),
             found = file.read_ints(group + "found");
  for (const auto n : {other.size(), relation.size(), clips.size(), known.size(), found.size()})
    require_rows(file, "/split/shares", n, part.size());
  std::vector<data::LeakShare> out;
  for (std::size_t i = 0; i < part.size(); ++i)
    out.push_back({part[i], other[i], relation[i], clips[i], known[i], found[i]});
  return out;
}

void write_related(H5File& file, const std::vector<RelatedRecord>& related) {
  const auto texts = [&](const char* name, auto f) {
    file.write_texts(std::string("/split/related/") + name, column<std::string>(related, f));
  };
  const auto numbers = [&](const char* name, auto f) {
    file.write(std::string("/split/related/") + name, column<double>(related, f), {size_of(related)});
  };
  using R = RelatedRecord;
  texts("clip_a", [](const R& r) { return r.clips.clip_a; });
  texts("clip_b", [](const R& r) { return r.clips.clip_b; });
  texts("relation", [](const R& r) { return r.clips.relation(); });
  texts("part_a", [](const R& r) { return r.part_a; });
  texts("part_b", [](const R& r) { return r.part_b; });
  numbers("error_rate", [](const R& r) { return r.clips.error_rate; });
  numbers("offset_seconds", [](const R& r) { return r.clips.offset_seconds; });
}

std::vector<RelatedRecord> read_related(const H5File& file) {
  const std::string group = "/split/related/";
  const auto a = file.read_texts(group + "clip_a"), b = file.read_texts(group + "clip_b"),
             relation = file.read_texts(group + "relation"), part_a = file.read_texts(group + "part_a"),
             part_b = file.read_texts(group + "part_b");
  const auto error = file.read_doubles(group + "error_rate"),
             offset = file.read_doubles(group + "offset_seconds");
  for (const auto n : {b.size(), relation.size(), part_a.size(), part_b.size(), error.size(), offset.size()})
    require_rows(file, "/split/related", n, a.size());
  std::vector<RelatedRecord> out;
  for (std::size_t i = 0; i < a.size(); ++i)
    out.push_back({{a[i], b[i], relation[i] == "same_audio", error[i], offset[i]}, part_a[i], part_b[i]});
  return out;
}

}  // namespace

double SplitRecord::related_share_in_train() const {
  for (const auto& s : shares)
    if (s.part == "test" && s.other == "train" && s.relation == "related") return s.share();
  return std::numeric_limits<double>::quiet_NaN();
}

std::vector<Stamp> split_stamps(const SplitRecord& split) {
  std::vector<Stamp> out;
  if (split.leaks) {
    std::vector<std::string> what;
    const double related = split.related_share_in_train();
    if (split.clip_share_in_train > 0 || !(related > 0))
      what.push_back(percent(split.clip_share_in_train) +
                     " of the test clips have segments in the training part");
    if (related > 0)
      what.push_back(percent(related) +
                     " of the test clips have a copy or near duplicate in the training part");
    out.push_back({"LEAKS", "LEAKS", join(what, ", ") + "; the figures are too good"});
  }
  if (const double share = split.artist_share_in_train; share > 0)
    out.push_back(
        {"ARTISTS", fmt::format("ARTISTS {:.0f}%", 100 * share),
         percent(share) +
             " of the test clips are by artists who are also in the training part; for other artists "
             "the figures are too good"});
  if (!split.missing.empty())
    out.push_back({"MISSING", "MISSING",
                   "parts lack classes (" + join(split.missing, "; ") +
                       "); the figures say nothing about these classes there"});
  return out;
}

void write_split(H5File& file, const SplitRecord& split) {
  const auto rows = [&](const char* path, const std::vector<std::int32_t>& values) {
    file.write(path, values, {size_of(values)});
  };
  rows("/split/train", split.train), rows("/split/validation", split.validation);
  rows("/split/test", split.test);
  file.attribute("/split", "leaks", split.leaks);
  file.attribute("/split", "clip_share_in_train", split.clip_share_in_train);
  file.attribute("/split", "artist_share_in_train", split.artist_share_in_train);
  for (const auto& [name, text] : split.notes) file.attribute("/split", name, text);
  if (!split.shares.empty()) write_shares(file, split.shares);
  if (split.looked) write_related(file, split.related);
  if (!split.missing.empty()) file.write_texts("/split/missing", split.missing);
}

SplitRecord read_split(const H5File& file) {
  SplitRecord split;
  const auto rows = [&](const char* path) {
    auto values = file.read_ints(path);
    if (std::any_of(values.begin(), values.end(), [](auto v) { return v < 0; }))
      fail("{}: is damaged: {} holds a value out of range", printable(file.path().string()), path);
    return values;
  };
  split.train = rows("/split/train"), split.validation = rows("/split/validation");
  split.test = rows("/split/test");
  split.leaks = file.int_attribute("/split", "leaks") != 0;
  split.clip_share_in_train = file.double_attribute("/split", "clip_share_in_train");
  split.artist_share_in_train = file.double_attribute("/split", "artist_share_in_train");
  for (auto& note : file.attributes("/split"))
    if (std::find(std::begin(attributes), std::end(attributes), note.first) == std::end(attributes))
      split.notes.push_back(std::move(note));
  if (file.exists("/split/shares")) split.shares = read_shares(file);
  split.looked = file.exists("/split/related");
  if (split.looked) split.related = read_related(file);
  if (file.exists("/split/missing")) split.missing = file.read_texts("/split/missing");
  return split;
}

}  // namespace timbre::results
