// Claims: who works on a run, or extracts the features of a key. They hold on file systems that several machines share,
// where flock may not exclude.
//
// A claim is a small file that is linked to its name: of several that try, one succeeds. It names host, process and a token,
// and its holder counts up a heartbeat in it.
//   same machine      whether the holder lives is known, and the claim of a dead one is free at once
//   another machine   the reader watches by its own steady clock whether the heartbeat changes. No two clocks are compared,
//                     so that they may differ by minutes. Without a change for `stale` the holder is dead
// A dead claim is taken over by one: who removes it first takes a ticket that bears the claim's token, which never
// returns, and removes the claim only if the token is still in it. A ticket is itself a claim.
// A holder that slept longer than `stale` has lost its claim, and learns it from require_held(), which is to be called before
// what it claims is changed.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/error.hpp"

namespace timbre::storage {

/// Somebody else works in a folder.
struct InUse : Error {
  using Error::Error;
};

struct ClaimTimes {
  std::chrono::milliseconds beat{5000};    // between two heartbeats
  std::chrono::milliseconds stale{60000};  // without a heartbeat: dead
  bool know_processes = true;              // false: watch those of this machine, too (for tests)
};

/// What one reader has seen of claims of others. For one thread.
class ClaimWatch {
 public:
  explicit ClaimWatch(ClaimTimes times = {}) : times_(times) {}
  enum class Sign { alive, dead, unknown };
  /// What a claim says that holds `record` now. Unknown until a heartbeat was seen, or was missed for long enough.
  Sign sign(const std::filesystem::path& claim, const std::string& record);
  const ClaimTimes& times() const { return times_; }

 private:
  struct Seen {
    std::string record;
    std::chrono::steady_clock::time_point since;
    bool beats = false;
  };
  ClaimTimes times_;
  std::map<std::filesystem::path, Seen> seen_;
};

/// A claim that is held, until it is destroyed. Move-only.
class Claim {
 public:
  /// Nothing where another holds it and is not known to be dead; the folder must be there. Throws Error where the file
  /// cannot be made, or is no regular file.
  static std::optional<Claim> take(const std::filesystem::path& file, ClaimWatch& watch);
  ~Claim();
  Claim(Claim&&) noexcept;
  Claim& operator=(Claim&&) = delete;

  /// Whether it still is this process's.
  bool held() const;

 private:
  struct State;
  explicit Claim(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Who holds a claim: "process 12 on n1 since 2026-01-31 12:00:00"; nothing where it is free.
std::optional<std::string> holder_of(const std::filesystem::path& claim);
/// Whether a claim's holder was of this machine and is dead, or the claim says nothing of its holder.
bool is_dead_claim(const std::filesystem::path& claim);
/// Removes a claim whose holder was of this machine and is dead, and one that says nothing of its holder.
void remove_dead_claim(const std::filesystem::path& claim);

/// Whether a folder's claim (FolderLock) is free: not held, or held by a process that is dead.
bool is_free(const std::filesystem::path& folder, ClaimWatch& watch);
/// Whether it cannot be said yet if its holder lives.
bool is_unknown(const std::filesystem::path& folder, ClaimWatch& watch);

/// The claim of a folder, its file `.lock`. While it is held, another process that asks learns who holds it.
class FolderLock {
 public:
  /// Makes the folder. A holder on another machine is watched until it gives a sign, or is dead: `waiting` hears of it once.
  /// Throws InUse "FOLDER is in use by process N on HOST since ...", Error where it cannot be locked, Interrupted.
  explicit FolderLock(const std::filesystem::path& folder,
                      const std::function<void(const std::string& holder)>& waiting = {});
  /// The same without waiting: throws InUse where `watch` does not know yet.
  FolderLock(const std::filesystem::path& folder, ClaimWatch& watch);

  /// Throws Error where another has taken it over, since this process gave no sign for a minute.
  void require_held() const;

 private:
  std::filesystem::path folder_;
  std::optional<Claim> claim_;
};

}  // namespace timbre::storage
