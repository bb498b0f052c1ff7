#include "bent_hdf5.hpp"

#include <hdf5.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "target.hpp"

namespace timbre::fuzz {

namespace fs = std::filesystem;

namespace {

struct Command {
  std::uint8_t what, object, choice, spare;
  std::uint32_t number;
};

constexpr hsize_t odd_extents[] = {
    0, 1, 2, 3, 10, 100, 1000, 1u << 20, 1u << 31, hsize_t{1} << 32, hsize_t{1} << 62, 7378697629483820648u};

std::vector<std::string> objects_in(hid_t file) {
  std::vector<std::string> names;
  H5Ovisit2(
      file, H5_INDEX_NAME, H5_ITER_INC,
      [](hid_t, const char* name, const H5O_info_t*, void* out) -> herr_t {
        static_cast<std::vector<std::string>*>(out)->emplace_back(name);
        return 0;
      },
      &names, H5O_INFO_BASIC);
  return names;
}

hid_t type_for(unsigned choice) {
  switch (choice % 8) {
    case 0:
      return H5Tcopy(H5T_STD_I32LE);
    case 1:
      return H5Tcopy(H5T_IEEE_F32LE);
    case 2:
      return H5Tcopy(H5T_IEEE_F64BE);
    case 3:
      return H5Tcopy(H5T_STD_U8LE);
    case 4:
      return H5Tcopy(H5T_STD_U64LE);
    case 5: {
      const auto type = H5Tcopy(H5T_C_S1);
      H5Tset_size(type, H5T_VARIABLE);
      return type;
    }
    case 6: {
      const auto type = H5Tcopy(H5T_C_S1);
      H5Tset_size(type, 1 + choice);
      return type;
    }
    default:
      return H5Tcreate(H5T_COMPOUND, 16);
  }
}

void replace(hid_t file, const std::string& name, const Command& c) {
  if (name == ".") return;
  H5Ldelete(file, name.c_str(), H5P_DEFAULT);
  const int rank = c.spare % 4;
  std::vector<hsize_t> dims, chunk;
  for (int i = 0; i < rank; ++i) {
    dims.push_back(odd_extents[((c.number >> (8 * i)) & 0xFF) % std::size(odd_extents)]);
    chunk.push_back(std::clamp<hsize_t>(dims.back(), 1, 64));
  }
  const auto type = type_for(c.choice), list = H5Pcreate(H5P_DATASET_CREATE);
  if (rank > 0 && (c.spare & 4)) H5Pset_chunk(list, rank, chunk.data());
  if (rank > 0 && (c.spare & 8)) H5Pset_deflate(list, 1);
  if (rank > 0 && (c.spare & 16)) H5Pset_external(list, "/etc/hostname", 0, H5F_UNLIMITED);
  const auto space = rank == 0 ? H5Screate(c.spare & 32 ? H5S_NULL : H5S_SCALAR)
                               : H5Screate_simple(rank, dims.data(), nullptr);
  if (space >= 0) {
    const auto set = H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    if (set >= 0) H5Dclose(set);
    H5Sclose(space);
  }
  H5Pclose(list), H5Tclose(type);
}

/// One number of a dataset.
void poke(hid_t file, const std::string& name, const Command& c) {
  const auto set = H5Dopen2(file, name.c_str(), H5P_DEFAULT);
  if (set < 0) return;
  const auto space = H5Dget_space(set), type = H5Dget_type(set);
  const auto count = H5Sget_simple_extent_npoints(space), kind = hssize_t(H5Tget_class(type));
  if (count > 0 && count < 100'000 && (kind == H5T_INTEGER || kind == H5T_FLOAT)) {
    std::vector<double> values(static_cast<std::size_t>(count));
    if (H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0) {
      constexpr double odd[] = {-1, 0, 1, 1e9, -1e300, 1e300, INFINITY, NAN};
      values[c.number % values.size()] = odd[c.choice % std::size(odd)];
      H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    }
  }
  H5Tclose(type), H5Sclose(space), H5Dclose(set);
}

/// An attribute becomes another number, a text, or nothing.
void change_attribute(hid_t file, const std::string& name, const Command& c) {
  const auto object = H5Oopen(file, name.c_str(), H5P_DEFAULT);
  if (object < 0) return;
  H5O_info_t info{};
  char attribute[128] = "";
  if (H5Oget_info2(object, &info, H5O_INFO_NUM_ATTRS) >= 0 && info.num_attrs > 0 &&
      H5Aget_name_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, c.number % info.num_attrs, attribute,
                         sizeof attribute, H5P_DEFAULT) >= 0) {
    H5Adelete(object, attribute);
    if (c.choice % 4 != 0) {
      const auto space = H5Screate(H5S_SCALAR), type = type_for(c.choice);
      const auto made = H5Acreate2(object, attribute, type, space, H5P_DEFAULT, H5P_DEFAULT);
      const auto kind = H5Tget_class(type);
      const auto number = std::int64_t(std::uint64_t{c.number} << (c.spare % 33));
      const char* texts[] = {"", "\x1b[31m", "finished", "{\"config\": {\"layers\": [1]}}", ",", "../../x"};
      const char* text = texts[c.number % std::size(texts)];
      if (made >= 0 && (kind == H5T_INTEGER || kind == H5T_FLOAT)) H5Awrite(made, H5T_NATIVE_INT64, &number);
      if (made >= 0 && kind == H5T_STRING && H5Tis_variable_str(type) > 0) H5Awrite(made, type, &text);
      if (made >= 0) H5Aclose(made);
      H5Tclose(type), H5Sclose(space);
    }
  }
  H5Oclose(object);
}

void bend_object(hid_t file, const Command& c) {
  const auto names = objects_in(file);
  const auto& name = names[c.object % names.size()];
  switch (c.what % 8) {
    case 0:
      if (name != ".") H5Ldelete(file, name.c_str(), H5P_DEFAULT);
      break;
    case 1:
    case 2:
      replace(file, name, c);
      break;
    case 3:
      poke(file, name, c);
      break;
    case 4:
      if (const auto& to = names[c.number % names.size()]; name != ".") {
        H5Ldelete(file, name.c_str(), H5P_DEFAULT);
        if (c.choice % 2 == 0)
          H5Lcreate_soft(("/" + to).c_str(), file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
        else
          H5Lcreate_hard(file, to.c_str(), file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT);
      }
      break;
    default:
      change_attribute(file, name, c);
  }
}

}  // namespace

Bent bend(const fs::path& whole, const fs::path& file, std::span<const std::uint8_t> commands) {
  Bent bent;
  fs::copy_file(whole, file, fs::copy_options::overwrite_existing);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const auto access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_file_locking(access, false, true);
  const auto id = H5Fopen(file.c_str(), H5F_ACC_RDWR, access);
  H5Pclose(access);
  std::vector<Command> of_bytes;
  std::size_t count = 0;
  for (; commands.size() >= sizeof(Command) && count < 24;
       commands = commands.subspan(sizeof(Command)), ++count) {
    Command c;
    std::memcpy(&c, commands.data(), sizeof c);
    if (c.what >= 0xF0)
      of_bytes.push_back(c);
    else
      bend_object(id, c);
  }
  H5Fclose(id);
  if (of_bytes.empty()) return bent;
  bent.bytes = true;
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  for (const auto& c : of_bytes)
    bytes[c.number % bytes.size()] = char(bytes[c.number % bytes.size()] ^ (c.choice | 1));
  write(file.filename().string(), bytes);
  return bent;
}

}  // namespace timbre::fuzz
