#include "storage/hdf5_state.hpp"

namespace timbre::storage {

void H5File::group(const std::string& path) {
  const Lock lock;
  state_->make_groups(path);
  if (!state_->exists(path)) state_->make_group(path);
}
void H5File::write(const std::string& path, std::span<const float> data, const Shape& shape) {
  const Lock lock;
  state_->write(path, data, shape);
}
void H5File::write(const std::string& path, std::span<const double> data, const Shape& shape) {
  const Lock lock;
  state_->write(path, data, shape);
}
void H5File::write(const std::string& path, std::span<const std::int32_t> data, const Shape& shape) {
  const Lock lock;
  state_->write(path, data, shape);
}
void H5File::write(const std::string& path, std::span<const std::int64_t> data, const Shape& shape) {
  const Lock lock;
  state_->write(path, data, shape);
}
void H5File::write_text(const std::string& path, const std::string& text) {
  const Lock lock;
  state_->write_strings(path, {&text, 1}, {});
}
void H5File::write_texts(const std::string& path, const std::vector<std::string>& texts) {
  const Lock lock;
  state_->write_strings(path, texts, {static_cast<std::int64_t>(texts.size())});
}

void H5File::attribute(const std::string& path, const std::string& name, const std::string& value) {
  const Lock lock;
  state_->write_string_attribute(path, name, {&value, 1}, true);
}
void H5File::attribute(const std::string& path, const std::string& name, const char* value) {
  attribute(path, name, std::string(value));
}
void H5File::attribute(const std::string& path, const std::string& name, std::int64_t value) {
  const Lock lock;
  state_->write_number(path, name, value);
}
void H5File::attribute(const std::string& path, const std::string& name, double value) {
  const Lock lock;
  state_->write_number(path, name, value);
}
void H5File::attribute(const std::string& path, const std::string& name, bool value) {
  const Lock lock;
  state_->write_number(path, name, static_cast<std::uint8_t>(value));
}
void H5File::attribute(const std::string& path, const std::string& name,
                       const std::vector<std::string>& values) {
  const Lock lock;
  if (values.size() <= strings_per_attribute)
    return state_->write_string_attribute(path, name, values, false);
  const std::span<const std::string> all(values);
  for (std::size_t first = 0, part = 0; first < all.size(); first += strings_per_attribute, ++part)
    state_->write_string_attribute(path, name + std::to_string(part),
                                   all.subspan(first, std::min(strings_per_attribute, all.size() - first)),
                                   false);
}
void H5File::empty_attribute(const std::string& path, const std::string& name) {
  const Lock lock;
  const auto space = make_space({0});
  state_->make_attribute(path, name, H5T_IEEE_F64LE, space);
}

void H5File::create_rows(const std::string& path, const Shape& shape) {
  const Lock lock;
  state_->make_dataset(path, H5T_IEEE_F32LE, shape.extents());
}
void H5File::write_rows(const std::string& path, std::int64_t first, std::span<const float> data) {
  const Lock lock;
  if (data.empty()) return;
  const auto set = state_->open_dataset(path);
  const auto [space, memory] = state_->rows(set, path, first, data.size());
  state_->check(H5Dwrite(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, data.data()) >= 0, path,
                "cannot be written");
}

}  // namespace timbre::storage
