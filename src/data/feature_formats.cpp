#include "data/feature_formats.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/row_source.hpp"
#include "data/store_layout.hpp"
#include "data/tables/npz_writer.hpp"
#include "data/tables/table.hpp"

namespace timbre::data {

namespace {

/// Calls `take` with each row.
template <class Take>
void each_row(const FeatureTable& table, Take take) {
  const auto size = table.shape.size(), step = rows_at_once(size);
  const StoreRows source(table.file, table.rows(), size, table.rows_offset);
  std::vector<float> block;
  for (std::int64_t first = 0; first < table.rows(); first += step) {
    const auto n = std::min(step, table.rows() - first);
    block.resize(static_cast<std::size_t>(n * size));
    source.read_rows(first, block);
    for (std::int64_t i = 0; i < n; ++i)
      take(first + i, std::span<const float>(block).subspan(std::size_t(i * size), std::size_t(size)));
  }
}

const Clip& clip_of(const FeatureTable& table, std::int64_t row) {
  return table.clips[std::size_t(table.clip[std::size_t(row)])];
}

bool has_groups(const FeatureTable& table) {
  return std::any_of(table.clips.begin(), table.clips.end(), [](const Clip& c) { return !c.group.empty(); });
}

void write_npz(storage::AtomicFile& file, const FeatureTable& table) {
  NpzWriter out(file);
  out.begin("X", {table.rows(), table.shape[0], table.shape[1]});
  each_row(table, [&](std::int64_t, std::span<const float> row) { out.floats(row); });
  out.add("Y", std::vector<std::int64_t>(table.label.begin(), table.label.end()));
  std::vector<std::string> ids, groups;
  for (std::int64_t r = 0; r < table.rows(); ++r)
    ids.push_back(clip_of(table, r).path), groups.push_back(clip_of(table, r).group);
  out.add("IDS", ids);
  if (has_groups(table)) out.add("groups", groups);
  out.add("segment", std::vector<std::int64_t>(table.segment.begin(), table.segment.end()));
  out.add("label_names", table.label_names);
  out.finish();
}

/// Text that goes to a file as it grows.
class TextWriter {
 public:
  explicit TextWriter(storage::AtomicFile& file)
      : file_(file), out_(std::fopen(file.temporary().c_str(), "wb"), std::fclose) {
    if (!out_) refuse();
  }
  void put(std::string_view text) {
    waiting_ += text;
    if (waiting_.size() > (1 << 20)) flush();
  }
  void put(float value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    put(std::string_view(text, std::size_t(end - text)));
  }
  void finish() {
    flush();
    if (std::fflush(out_.get()) != 0) refuse();
    out_.reset();
    file_.commit();
  }

 private:
  [[noreturn]] void refuse() {
    fail("{}: cannot be written: {}", printable(file_.target().string()),
         std::generic_category().message(errno));
  }
  void flush() {
    if (std::fwrite(waiting_.data(), 1, waiting_.size(), out_.get()) != waiting_.size()) refuse();
    waiting_.clear();
  }
  storage::AtomicFile& file_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> out_;
  std::string waiting_;
};

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == text.npos &&
      (text.empty() || (text.front() != ' ' && text.back() != ' ')))
    return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

void write_csv(storage::AtomicFile& file, const FeatureTable& table) {
  const auto frames = table.shape[0], width = table.shape[1];
  const bool groups = has_groups(table);
  if (table.shape.size() + 4 > most_table_columns)
    fail_request("{}: a row has {} numbers, too many for CSV; --format npz takes them",
                 printable(file.target().string()), grouped(table.shape.size()));
  TextWriter out(file);
  out.put(groups ? "path,label,group,segment" : "path,label,segment");
  for (std::int64_t t = 0; t < frames; ++t)
    for (std::int64_t f = 0; f < width; ++f)
      out.put(frames == 1 ? fmt::format(",f{}", f) : fmt::format(",t{}_f{}", t, f));
  out.put("\n");
  each_row(table, [&](std::int64_t r, std::span<const float> row) {
    const auto& clip = clip_of(table, r);
    out.put(csv_field(clip.path) + "," + csv_field(table.label_names[std::size_t(clip.label)]));
    if (groups) out.put("," + csv_field(clip.group));
    out.put(fmt::format(",{}", table.segment[std::size_t(r)]));
    for (const float v : row) out.put(","), out.put(v);
    out.put("\n");
  });
  out.finish();
}

void write_json(storage::AtomicFile& file, const FeatureTable& table,
                const features::FeatureOptions& options) {
  const auto frames = table.shape[0], width = table.shape[1];
  const auto texts = [](const std::vector<std::string>& values) {
    return nlohmann::json(values).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  std::vector<std::string> ids, groups;
  for (std::int64_t r = 0; r < table.rows(); ++r)
    ids.push_back(clip_of(table, r).path), groups.push_back(clip_of(table, r).group);
  TextWriter out(file);
  out.put("{\n\"mapping\": " + texts(table.label_names));
  out.put(",\n\"labels\": " + nlohmann::json(table.label).dump());
  out.put(",\n\"ids\": " + texts(ids));
  if (has_groups(table)) out.put(",\n\"groups\": " + texts(groups));
  out.put(fmt::format(",\n\"{}\": [", features::name_of(options) == "mfcc" ? "mfcc" : "features"));
  each_row(table, [&](std::int64_t r, std::span<const float> row) {
    out.put(r == 0 ? "\n[" : ",\n[");
    for (std::int64_t t = 0; t < frames; ++t) {
      out.put(t == 0 ? "[" : ", [");
      for (std::int64_t f = 0; f < width; ++f) {
        if (f > 0) out.put(", ");
        out.put(row[std::size_t(t * width + f)]);
      }
      out.put("]");
    }
    out.put("]");
  });
  out.put("\n]\n}\n");
  out.finish();
}

}  // namespace

void write_feature_table(const std::filesystem::path& target, const std::string& format,
                         const FeatureTable& table, const features::FeatureOptions& options) {
  storage::AtomicFile file(target);
  if (format == "npz")
    write_npz(file, table);
  else if (format == "csv")
    write_csv(file, table);
  else
    write_json(file, table, options);
}

}  // namespace timbre::data
