#include "storage/hdf5_state.hpp"

namespace timbre::storage {

bool H5File::exists(const std::string& path) const {
  const Lock lock;
  return state_->exists(path);
}
Shape H5File::shape(const std::string& path) const {
  const Lock lock;
  return state_->shape_of(state_->open_dataset(path), path);
}
std::vector<H5File::Child> H5File::children(const std::string& path) const {
  const Lock lock;
  const auto opened = state_->open_object(path);
  state_->check(H5Iget_type(opened) == H5I_GROUP, path, "is not a group");
  H5G_info_t info{};
  state_->check(H5Gget_info(opened, &info) >= 0, path, "cannot be read");
  std::vector<Child> out;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    const auto length =
        H5Lget_name_by_idx(opened, ".", H5_INDEX_NAME, H5_ITER_INC, i, nullptr, 0, H5P_DEFAULT);
    state_->check(length >= 0, path, "cannot be read");
    std::string name(length + 1, '\0');
    H5Lget_name_by_idx(opened, ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT);
    name.pop_back();
    H5L_info_t link{};
    H5O_info_t object{};
    state_->check(H5Lget_info(opened, name.c_str(), &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_HARD,
                  path == "/" ? "/" + name : path + "/" + name, "is a link, which is not followed");
    if (H5Oget_info_by_name2(opened, name.c_str(), &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0) continue;
    out.push_back({std::move(name), object.type == H5O_TYPE_GROUP});
  }
  return out;
}
std::string H5File::type_name(const std::string& path) const {
  const Lock lock;
  const auto set = state_->open_dataset(path);
  return type_text(Handle(H5Dget_type(set), H5Tclose));
}
std::vector<float> H5File::read_floats(const std::string& path) const {
  const Lock lock;
  return state_->read<float>(path);
}
std::vector<double> H5File::read_doubles(const std::string& path) const {
  const Lock lock;
  return state_->read<double>(path);
}
std::vector<std::int32_t> H5File::read_ints(const std::string& path) const {
  const Lock lock;
  return state_->read<std::int32_t>(path);
}
std::string H5File::read_text(const std::string& path) const {
  const Lock lock;
  const auto all = state_->read_strings(path);
  state_->check(all.size() == 1, path, "is not a single text");
  return all.front();
}
std::vector<std::string> H5File::read_texts(const std::string& path) const {
  const Lock lock;
  return state_->read_strings(path);
}
void H5File::read_rows(const std::string& path, std::int64_t first, std::span<float> out) const {
  const Lock lock;
  if (out.empty()) return;
  const auto set = state_->open_dataset(path);
  const auto [space, memory] = state_->rows(set, path, first, out.size());
  state_->check(H5Dread(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, out.data()) >= 0, path,
                "cannot be read");
}

std::int64_t H5File::rows_offset(const std::string& path) const {
  const Lock lock;
  const auto set = state_->open_dataset(path);
  const Handle type(H5Dget_type(set), H5Tclose);
  const auto offset = H5Dget_offset(set);
  state_->check(offset != HADDR_UNDEF && H5Tequal(type, H5T_IEEE_F32LE) > 0, path,
                "is not laid out as rows of float32");
  return std::int64_t(offset);
}

bool H5File::has_attribute(const std::string& path, const std::string& name) const {
  const Lock lock;
  return state_->exists(path) && H5Aexists_by_name(state_->file, path.c_str(), name.c_str(), H5P_DEFAULT) > 0;
}
std::string H5File::text_attribute(const std::string& path, const std::string& name) const {
  const Lock lock;
  const auto all = state_->read_string_attribute(path, name);
  state_->check(all.size() == 1, State::attribute_path(path, name), "is not a single text");
  return all.front();
}
std::int64_t H5File::int_attribute(const std::string& path, const std::string& name) const {
  const Lock lock;
  return state_->read_number<std::int64_t>(path, name);
}
double H5File::double_attribute(const std::string& path, const std::string& name) const {
  const Lock lock;
  return state_->read_number<double>(path, name);
}
std::vector<std::string> H5File::texts_attribute(const std::string& path, const std::string& name) const {
  const Lock lock;
  if (has_attribute(path, name) || !has_attribute(path, name + "0"))
    return state_->read_string_attribute(path, name);
  std::vector<std::string> out;
  for (int part = 0; has_attribute(path, name + std::to_string(part)); ++part)
    for (auto& text : state_->read_string_attribute(path, name + std::to_string(part)))
      out.push_back(std::move(text));
  return out;
}
std::vector<std::pair<std::string, std::string>> H5File::attributes(const std::string& path) const {
  const Lock lock;
  const auto opened = state_->open_object(path);
  std::vector<std::string> names;
  H5Aiterate2(
      opened, H5_INDEX_NAME, H5_ITER_INC, nullptr,
      [](hid_t, const char* name, const H5A_info_t*, void* out) -> herr_t {
        static_cast<std::vector<std::string>*>(out)->emplace_back(name);
        return 0;
      },
      &names);
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& name : names) {
    const auto found = state_->open_attribute(path, name);
    const Handle type(H5Aget_type(found), H5Tclose);
    const Handle space(H5Aget_space(found), H5Sclose);
    std::vector<std::string> parts;
    switch (H5Tget_class(type)) {
      case H5T_STRING:
        parts = state_->read_string_attribute(path, name);
        break;
      case H5T_INTEGER:
        for (const auto v : state_->read_numbers<std::int64_t>(path, name))
          parts.push_back(std::to_string(v));
        break;
      case H5T_FLOAT:
        for (const auto v : state_->read_numbers<double>(path, name)) parts.push_back(number_text(v));
        break;
      default:
        parts = {"(" + type_text(type) + ")"};
    }
    const bool scalar = H5Sget_simple_extent_type(space) == H5S_SCALAR && parts.size() == 1;
    out.emplace_back(name, scalar ? parts.front() : "[" + join(parts) + "]");
  }
  return out;
}

}  // namespace timbre::storage
