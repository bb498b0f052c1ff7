// The SIMT host itself: what it runs as a GPU would, and what it must find.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "cuda/support/kernel.hpp"
#include "kernel_harness.hpp"

namespace timbre::cuda {
namespace {

/// What a kernel that fails says.
template <class F>
std::string fault_of(F&& f) {
  try {
    f();
  } catch (const simt::Fault& e) {
    return e.what();
  }
  return "nothing";
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

__global__ void number_kernel(int* out) {
  const unsigned t = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned b = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  out[b * blockDim.x * blockDim.y * blockDim.z + t] += static_cast<int>(100 * b + t);
}

TEST(SimtHost, EveryThreadOfEveryBlockRunsOnceInEveryOrder) {
  for (const auto order : every_order) {
    const Running running(order);
    std::vector<int> zeros(3 * 2 * 2 * 20, 0);
    const auto out = to_device(zeros);
    launch(number_kernel, dim3(3, 2, 2), dim3(5, 2, 2), 0, nullptr, out.data());
    const auto values = from_device(out);
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(values[i], int(100 * (i / 20) + i % 20)) << name_of(order);
  }
}

__global__ void sum_kernel(const float* in, int n, float* out) {
  TIMBRE_SHARED(float, part, [2][16]);
  TIMBRE_DYNAMIC_SHARED(float, total);
  const int i = static_cast<int>(threadIdx.x);
  part[i / 16][i % 16] = i < n ? in[i] : 0.0f;
  __syncthreads();
  if (i == 0) {
    total[0] = 0;
    for (int k = 0; k < 32; ++k) total[0] += part[k / 16][k % 16];
  }
  __syncthreads();
  out[i] = total[0];
}

TEST(SimtHost, SharedMemoryAndBarriersCarryValuesFromThreadToThread) {
  const std::vector<float> in{1, 2, 3, 4, 5};
  for (const auto order : every_order) {
    const Running running(order);
    const auto x = to_device(in);
    const DeviceArray<float> out(32);
    launch(sum_kernel, dim3(1), dim3(32), sizeof(float), nullptr, x.data(), 5, out.data());
    for (const float v : from_device(out)) EXPECT_EQ(v, 15.0f);
    EXPECT_EQ(simt::settings().barriers.size(), 2u);
  }
}

TEST(SimtHost, AMissingBarrierShows) {
  std::set<simt::Site> sites;
  const auto sum = [&] {
    const auto x = to_device(std::vector<float>(32, 1.0f));
    const DeviceArray<float> out(32);
    launch(sum_kernel, dim3(1), dim3(32), sizeof(float), nullptr, x.data(), 32, out.data());
    sites = simt::settings().barriers;
    return from_device(out);
  };
  {
    const Running running(simt::Order::shuffled);
    EXPECT_EQ(sum(), std::vector<float>(32, 32.0f));
  }
  ASSERT_EQ(sites.size(), 2u);
  for (const auto& site : std::set(sites)) {
    const Running running(simt::Order::shuffled, 1, site);
    EXPECT_NE(sum(), std::vector<float>(32, 32.0f)) << site.line;
  }
}

__global__ void early_return_kernel() {
  if (threadIdx.x == 7) return;
  __syncthreads();
}
__global__ void two_barriers_kernel() {
  if (threadIdx.x < 8)
    __syncthreads();
  else
    __syncthreads();
}
__global__ void warp_part_kernel() {
  if (threadIdx.x % 2 == 0) __syncwarp();
}

TEST(SimtHost, DivergentBarriersAreFaultsThatNameThePlace) {
  for (const auto order : every_order) {
    const Running running(order);
    const auto early = fault_of([] { launch(early_return_kernel, dim3(2), dim3(64), 0, nullptr); });
    EXPECT_TRUE(mentions(early, "thread 7 has returned; thread 8 waits at ") &&
                mentions(early, "test_host.cpp:"))
        << early;
    const auto two = fault_of([] { launch(two_barriers_kernel, dim3(1), dim3(16), 0, nullptr); });
    EXPECT_TRUE(mentions(two, "threads meet at different barriers")) << two;
    const auto part = fault_of([] { launch(warp_part_kernel, dim3(1), dim3(32), 0, nullptr); });
    EXPECT_TRUE(mentions(part, "divergent barrier")) << part;
  }
}

__global__ void shuffle_kernel(int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  out[lane] = __shfl_xor_sync(whole_warp, lane, 5);
  out[32 + lane] = __shfl_down_sync(whole_warp, lane, 3, 8);
  out[64 + lane] = __shfl_up_sync(whole_warp, lane, 3, 8);
  out[96 + lane] = __shfl_sync(whole_warp, lane, 2, 8);
  out[128 + lane] = static_cast<int>(__ballot_sync(whole_warp, lane % 3 == 0));
  out[160 + lane] = __any_sync(whole_warp, lane == 31) + 2 * __all_sync(whole_warp, lane < 31);
  if (lane < 16) out[lane] += static_cast<int>(1000 * __shfl_xor_sync(0xffffu, double(lane), 1));
}
__global__ void wrong_source_kernel(int* out) {
  if (threadIdx.x < 16) out[threadIdx.x] = __shfl_xor_sync(0xffffu, 1, 16);
}

TEST(SimtHost, ShufflesAndVotesFollowCudasRules) {
  for (const auto order : every_order) {
    const Running running(order);
    const DeviceArray<int> out(192);
    launch(shuffle_kernel, dim3(1), dim3(32), 0, nullptr, out.data());
    const auto v = from_device(out);
    int thirds = 0;
    for (int i = 0; i < 32; i += 3) thirds |= 1 << i;
    for (int lane = 0; lane < 32; ++lane) {
      EXPECT_EQ(v[std::size_t(lane)], (lane ^ 5) + (lane < 16 ? 1000 * (lane ^ 1) : 0));
      EXPECT_EQ(v[std::size_t(32 + lane)], lane % 8 < 5 ? lane + 3 : lane);
      EXPECT_EQ(v[std::size_t(64 + lane)], lane % 8 >= 3 ? lane - 3 : lane);
      EXPECT_EQ(v[std::size_t(96 + lane)], lane / 8 * 8 + 2);
      EXPECT_EQ(v[std::size_t(128 + lane)], thirds);
      EXPECT_EQ(v[std::size_t(160 + lane)], 1);
    }
    EXPECT_TRUE(
        mentions(fault_of([&] { launch(wrong_source_kernel, dim3(1), dim3(32), 0, nullptr, out.data()); }),
                 "a shuffle from a lane that takes no part"));
  }
}

__global__ void atomics_kernel(int* sum, int* largest, float* total) {
  atomicAdd(sum, 1);
  atomicMax(largest, static_cast<int>(threadIdx.x * 7 % 31));
  atomicAdd(total, 0.5f);
}

TEST(SimtHost, AtomicsCountEveryThread) {
  const auto ints = to_device(std::vector<int>{0, -1});
  const auto total = to_device(std::vector<float>{0});
  launch(atomics_kernel, dim3(10), dim3(31), 0, nullptr, ints.data(), ints.data() + 1, total.data());
  EXPECT_EQ(from_device(ints), (std::vector<int>{310, 30}));
  EXPECT_EQ(from_device(total), std::vector<float>{155});
}

__global__ void unwritten_kernel(float* out) {
  TIMBRE_SHARED(float, tile, [4]);
  TIMBRE_DYNAMIC_SHARED(float, row);
  if (blockIdx.x == 0) tile[0] = row[0] = 1;
  out[2 * blockIdx.x] = tile[0], out[2 * blockIdx.x + 1] = row[0];
}

TEST(SimtHost, SharedMemoryIsNotANumberInEveryBlock) {
  const Running running(simt::Order::forward);
  const DeviceArray<float> out(4);
  launch(unwritten_kernel, dim3(2), dim3(1), sizeof(float), nullptr, out.data());
  const auto v = from_device(out);
  EXPECT_TRUE(v[0] == 1 && v[1] == 1 && std::isnan(v[2]) && std::isnan(v[3]));
}

#if !defined(__SANITIZE_ADDRESS__)  // which ends the process there and then, as it should
__global__ void overrun_kernel(int n) {
  TIMBRE_DYNAMIC_SHARED(float, row);
  row[n] = 0;
}

TEST(SimtHost, AnOverrunOfSharedMemoryIsAFault) {
  EXPECT_EQ(fault_of([] { launch(overrun_kernel, dim3(1), dim3(1), 8 * sizeof(float), nullptr, 7); }),
            "nothing");
  EXPECT_TRUE(
      mentions(fault_of([] { launch(overrun_kernel, dim3(1), dim3(1), 8 * sizeof(float), nullptr, 8); }),
               "behind its shared memory"));
}
#endif

TEST(SimtHost, LaunchesThatNoGpuTakesAreFaults) {
  const auto refused = [](dim3 grid, dim3 block, std::size_t shared) {
    return fault_of([&] { launch(early_return_kernel, grid, block, shared, nullptr); });
  };
  EXPECT_NE(refused(dim3(0), dim3(32), 0), "nothing");
  EXPECT_NE(refused(dim3(1, 65536), dim3(32), 0), "nothing");
  EXPECT_NE(refused(dim3(1), dim3(1025), 0), "nothing");
  EXPECT_NE(refused(dim3(1), dim3(32), 48 * 1024 + 1), "nothing");
  EXPECT_EQ(refused(dim3(1), dim3(7), 48 * 1024), "nothing");
}

}  // namespace
}  // namespace timbre::cuda
