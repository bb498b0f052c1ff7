#include "storage/zip.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

namespace timbre::storage {

namespace {

template <class... Arguments>
[[noreturn]] void refuse_archive(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  throw BadArchive(fmt::format(text, std::forward<Arguments>(arguments)...));
}

}  // namespace

RandomAccess::RandomAccess(std::string shown, std::string_view bytes)
    : shown_(std::move(shown)), bytes_(bytes), size_(bytes.size()) {}

RandomAccess::RandomAccess(const std::filesystem::path& file) : shown_(printable(file.string())) {
  descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0)
    refuse_archive("{}: cannot be opened: {}", shown_, std::generic_category().message(errno));
  struct stat s {};
  size_ = ::fstat(descriptor_, &s) == 0 ? std::uint64_t(s.st_size) : 0;
}

RandomAccess::~RandomAccess() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RandomAccess::read(std::uint64_t at, std::span<char> out) const {
  if (at > size_ || out.size() > size_ - at) refuse_archive("{}: ends early", shown_);
  if (descriptor_ < 0) {
    std::copy_n(bytes_.begin() + std::ptrdiff_t(at), out.size(), out.begin());
    return;
  }
  while (!out.empty()) {
    const auto got = ::pread(descriptor_, out.data(), out.size(), off_t(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse_archive("{}: cannot be read: {}", shown_, std::generic_category().message(errno));
    if (got == 0) refuse_archive("{}: ends early", shown_);
    out = out.subspan(std::size_t(got)), at += std::uint64_t(got);
  }
}

namespace {

class Part final : public ByteSource {
 public:
  Part(const RandomAccess& file, std::uint64_t begin, std::uint64_t size)
      : file_(file), begin_(begin), size_(size) {}
  std::uint64_t size() const override { return size_; }
  std::size_t read(std::span<char> out) override {
    const auto n = std::size_t(std::min<std::uint64_t>(out.size(), size_ - at_));
    file_.read(begin_ + at_, out.first(n));
    at_ += n;
    return n;
  }

 private:
  const RandomAccess& file_;
  std::uint64_t begin_, size_, at_ = 0;
};

/// A member that is unpacked, or only counted, and checked at its end.
class MemberBytes final : public ByteSource {
 public:
  MemberBytes(const RandomAccess& file, const ZipFile::Member& member, std::uint64_t begin)
      : shown_(file.shown()), member_(member), packed_(file, begin, member.packed) {
    if (member_.method == 0) return;
    input_.resize(std::size_t{1} << 16);
    if (::inflateInit2(&stream_, -MAX_WBITS) != Z_OK) fail("{}: zlib has no memory", shown_);
    inflating_ = true;
  }
  ~MemberBytes() override {
    if (inflating_) ::inflateEnd(&stream_);
  }
  MemberBytes(const MemberBytes&) = delete;
  MemberBytes& operator=(const MemberBytes&) = delete;
  std::uint64_t size() const override { return member_.size; }

  std::size_t read(std::span<char> out) override {
    out = out.first(std::size_t(std::min<std::uint64_t>(out.size(), member_.size - given_)));
    const auto got = inflating_ ? inflate(out) : packed_.read(out);
    if (got < out.size()) fail_member("ends early");
    crc_ = std::uint32_t(::crc32_z(crc_, reinterpret_cast<const Bytef*>(out.data()), got));
    given_ += got;
    if (given_ == member_.size && got > 0 && crc_ != member_.crc)
      fail_member("is damaged: its checksum does not fit");
    return got;
  }

 private:
  [[noreturn]] void fail_member(std::string_view what) const {
    refuse_archive("{}: its member '{}' {}", shown_, printable(member_.name), what);
  }

  std::size_t inflate(std::span<char> out) {
    std::size_t done = 0;
    while (done < out.size()) {
      if (stream_.avail_in == 0) {
        const auto n = packed_.read(input_);
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data()), stream_.avail_in = uInt(n);
      }
      const auto room = std::min<std::size_t>(out.size() - done, std::size_t{1} << 30);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + done), stream_.avail_out = uInt(room);
      const bool empty = stream_.avail_in == 0;
      const int code = ::inflate(&stream_, Z_NO_FLUSH);
      done += room - stream_.avail_out;
      if (code == Z_STREAM_END) break;
      if (code == Z_BUF_ERROR && empty) break;
      if (code != Z_OK && code != Z_BUF_ERROR) fail_member("is damaged: it cannot be unpacked");
    }
    return done;
  }

  std::string shown_;
  const ZipFile::Member& member_;
  Part packed_;
  std::vector<char> input_;
  z_stream stream_{};
  bool inflating_ = false;
  std::uint64_t given_ = 0;
  std::uint32_t crc_ = 0;
};

/// Numbers of a block, little-endian, whatever the machine.
class Fields {
 public:
  explicit Fields(std::span<const char> bytes) : bytes_(bytes) {}
  std::uint64_t number(std::size_t at, std::size_t size) const {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < size && at + i < bytes_.size(); ++i)
      out |= std::uint64_t(static_cast<unsigned char>(bytes_[at + i])) << 8 * i;
    return out;
  }

 private:
  std::span<const char> bytes_;
};

constexpr std::uint32_t end_mark = 0x06054b50, end64_mark = 0x06064b50, locator_mark = 0x07064b50,
                        central_mark = 0x02014b50, local_mark = 0x04034b50;
constexpr std::uint64_t most_members = 100'000, most_directory = std::uint64_t{1} << 26;

/// Where the directory lies.
struct Directory {
  std::uint64_t at = 0, size = 0, count = 0;
};

Directory find_directory(const RandomAccess& file) {
  constexpr std::size_t end_size = 22, most_comment = 65'535;
  if (file.size() < end_size) refuse_archive("{}: is not a zip archive", file.shown());
  std::vector<char> tail(std::size_t(std::min<std::uint64_t>(file.size(), end_size + most_comment)));
  const auto tail_at = file.size() - tail.size();
  file.read(tail_at, tail);
  const Fields f(tail);
  for (std::size_t at = tail.size() - end_size + 1; at-- > 0;) {
    if (f.number(at, 4) != end_mark || at + end_size + f.number(at + 20, 2) > tail.size()) continue;
    Directory d{f.number(at + 16, 4), f.number(at + 12, 4), f.number(at + 10, 2)};
    if (at >= 20 && f.number(at - 20, 4) == locator_mark) {
      std::vector<char> end64(56);
      file.read(f.number(at - 20 + 8, 8), end64);
      const Fields g(end64);
      if (g.number(0, 4) == end64_mark) d = {g.number(48, 8), g.number(40, 8), g.number(32, 8)};
    }
    return d;
  }
  refuse_archive("{}: is not a zip archive, or it is cut short", file.shown());
}

}  // namespace

std::unique_ptr<ByteSource> open_part(const RandomAccess& file, std::uint64_t begin, std::uint64_t size) {
  return std::make_unique<Part>(file, begin, size);
}

bool looks_like_zip(std::string_view bytes) { return Fields(bytes).number(0, 4) == local_mark; }

ZipFile::ZipFile(std::unique_ptr<RandomAccess> archive) : bytes_(std::move(archive)) {
  const auto directory = find_directory(*bytes_);
  const auto damaged = [&](std::string_view what) {
    refuse_archive("{}: is a damaged zip archive: {}", shown(), what);
  };
  if (directory.size > most_directory || directory.count > most_members)
    damaged("its directory is too large");
  if (directory.at > bytes_->size() || directory.size > bytes_->size() - directory.at)
    damaged("its directory lies outside of it");
  std::vector<char> bytes(std::size_t(directory.size));
  bytes_->read(directory.at, bytes);
  const Fields f(bytes);
  std::set<std::string> names;
  for (std::size_t at = 0, i = 0; i < directory.count; ++i) {
    constexpr std::size_t fixed = 46;
    if (at + fixed > bytes.size() || f.number(at, 4) != central_mark) damaged("its directory is cut short");
    const auto name_size = std::size_t(f.number(at + 28, 2)), extra = std::size_t(f.number(at + 30, 2)),
               comment = std::size_t(f.number(at + 32, 2));
    if (at + fixed + name_size + extra + comment > bytes.size()) damaged("its directory is cut short");
    Member m{.name = std::string(bytes.data() + at + fixed, name_size),
             .header = f.number(at + 42, 4),
             .packed = f.number(at + 20, 4),
             .size = f.number(at + 24, 4),
             .crc = std::uint32_t(f.number(at + 16, 4)),
             .method = std::uint16_t(f.number(at + 10, 2)),
             .flags = std::uint16_t(f.number(at + 8, 2))};
    // Of what does not fit into 32 bits, the true value is in an extra field, in this order.
    const auto extra_at = at + fixed + name_size;
    for (std::size_t e = extra_at; e + 4 <= extra_at + extra;) {
      const auto id = f.number(e, 2), size = f.number(e + 2, 2);
      if (id == 1) {
        std::size_t v = e + 4;
        for (auto* value : {&m.size, &m.packed, &m.header})
          if (*value == 0xFFFFFFFFu && v + 8 <= e + 4 + size && v + 8 <= extra_at + extra)
            *value = f.number(v, 8), v += 8;
      }
      e += 4 + std::size_t(size);
    }
    if (!names.insert(m.name).second) damaged("two members are called '" + printable(m.name) + "'");
    members_.push_back(std::move(m));
    at += fixed + name_size + extra + comment;
  }
}

const ZipFile::Member* ZipFile::find(std::string_view name) const {
  const auto it = std::ranges::find(members_, name, &Member::name);
  return it == members_.end() ? nullptr : &*it;
}

std::string ZipFile::read(std::string_view name, std::uint64_t most) const {
  const auto* m = find(name);
  if (!m) refuse_archive("{}: it holds no {}", shown(), printable(name));
  if (m->size > most)
    refuse_archive("{}: its member '{}' claims {} bytes; {} are the limit", shown(), printable(name),
                   grouped(std::int64_t(m->size)), grouped(std::int64_t(most)));
  const auto source = open(*m);
  std::string out(std::size_t(m->size), '\0');
  source->read(out);
  return out;
}

std::unique_ptr<ByteSource> ZipFile::open(const Member& m) const {
  const auto name = printable(m.name);
  if (m.flags & 1) refuse_archive("{}: its member '{}' is encrypted", shown(), name);
  if (m.method != 0 && m.method != 8)
    refuse_archive("{}: its member '{}' is packed by method {}; stored and deflated ones are read", shown(),
                   name, m.method);
  // Deflate unfolds a byte to 1032 at most.
  if (m.method == 8 && m.size / 1032 > m.packed)
    refuse_archive("{}: its member '{}' claims to be larger than it can unfold to", shown(), name);
  std::vector<char> local(30);
  bytes_->read(m.header, local);
  const Fields f(local);
  const auto begin = m.header + 30 + f.number(26, 2) + f.number(28, 2);
  if (f.number(0, 4) != local_mark || begin > bytes_->size() || m.packed > bytes_->size() - begin ||
      (m.method == 0 && m.packed != m.size))
    refuse_archive("{}: is a damaged zip archive: its member '{}' is not where the directory says", shown(),
                   name);
  return std::make_unique<MemberBytes>(*bytes_, m, begin);
}

}  // namespace timbre::storage
