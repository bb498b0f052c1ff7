// The training step's own kernels on the SIMT host: gather with its row mask, loss, penalties, metrics,
// optimizers; each against a reference in double, in every order of threads, and with each barrier taken out.
#include <gtest/gtest.h>

#include "cuda/training/gather.hpp"
#include "cuda/training/losses/cross_entropy.cu"
#include "cuda/training/update.cuh"
#include "kernel_harness.hpp"
#include "training/optimizer.hpp"
#include "training/optimizers/adam.hpp"
#include "training/optimizers/sgd.hpp"

namespace timbre::cuda {
namespace {

/// A batch of `live` rows of random data.
struct TestBatch {
  TestBatch(std::int64_t data_rows, std::int64_t width, std::int64_t capacity, std::int64_t live,
            std::int64_t classes)
      : x(random_values(std::size_t(data_rows * width), 1, -1, 1)), features(to_device(x)) {
    for (std::int64_t r = 0; r < data_rows; ++r) label.push_back(std::int32_t(r * 7 % classes));
    labels = to_device(label);
    for (std::int64_t r = 0; r < capacity; ++r)
      row.push_back(r < live ? std::int32_t((r * 5 + 3) % data_rows) : 1 << 30);
    rows = to_device(row);
    header = to_device(std::vector<BatchHeader>{{features.data(), labels.data(), std::int32_t(live), 0}});
  }
  std::vector<float> x;
  std::vector<std::int32_t> label, row;
  DeviceArray<float> features;
  DeviceArray<std::int32_t> labels, rows;
  DeviceArray<BatchHeader> header;
};

KernelCase gather_case(std::int64_t width, std::int64_t capacity, std::int64_t live) {
  return {"gather " + std::to_string(width), [=] {
            const TestBatch b(11, width, capacity, live, 2);
            const DeviceArray<float> out(std::size_t(capacity * width));
            gather_rows(nullptr, b.header.data(), {b.rows.data()}, capacity, width, out.data());
            std::vector<double> expected;
            for (std::int64_t r = 0; r < capacity; ++r)
              for (std::int64_t c = 0; c < width; ++c)
                expected.push_back(r < live ? b.x[std::size_t(b.row[std::size_t(r)] * width + c)] : 0);
            return worst_error(from_device(out), expected, [](double) { return 1e-30; });
          }};
}

KernelCase loss_case(std::int64_t capacity, std::int64_t live, std::int64_t classes, double smoothing,
                     double magnitude) {
  return {"cross-entropy " + std::to_string(classes) + " classes", [=] {
            const TestBatch b(20, 1, capacity, live, classes);
            auto z = random_values(std::size_t(capacity * classes), 3, -magnitude, magnitude);
            if (classes > 2) z[1] = z[2] = float(magnitude) * 2;  // equal largest ones
            const auto dz = to_device(z);
            const DeviceArray<float> losses{std::size_t(capacity)}, gradient(z.size()),
                probabilities(z.size());
            const DeviceArray<std::int32_t> hits{std::size_t(capacity)};
            CrossEntropyDevice({smoothing})
                .evaluate(nullptr, {dz.data(), b.header.data(), b.rows.data(), capacity, classes,
                                    losses.data(), hits.data(), gradient.data(), probabilities.data()});
            std::vector<double> el, eg, ep;
            bool hits_right = true;
            const auto got = from_device(hits);
            for (std::int64_t r = 0; r < capacity; ++r) {
              const float* row = z.data() + r * classes;
              const bool on = r < live;
              const std::int64_t label = on ? b.label[std::size_t(b.row[std::size_t(r)])] : -1,
                                 best = std::max_element(row, row + classes) - row;
              hits_right = hits_right && got[std::size_t(r)] == (best == label);
              double sum = 0, loss = 0;
              for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(double(row[c]) - row[best]);
              for (std::int64_t c = 0; c < classes; ++c) {
                const double log_p = double(row[c]) - row[best] - std::log(sum),
                             t = smoothing / double(classes) + (c == label ? 1 - smoothing : 0);
                loss -= t * log_p;
                ep.push_back(on ? std::exp(log_p) : 0),
                    eg.push_back(on ? (std::exp(log_p) - t) / double(live) : 0);
              }
              el.push_back(on ? loss : 0);
            }
            const auto allowed = [](double e) { return 2e-6 * (1 + std::abs(e)); };
            return std::max({hits_right ? 0.0 : 2.0, worst_error(from_device(losses), el, allowed),
                             worst_error(from_device(gradient), eg, allowed),
                             worst_error(from_device(probabilities), ep, allowed)});
          }};
}

/// An arena of three parameters: with both penalties, with one, with none; in chunks.
struct TestArena {
  TestArena() {
    std::int64_t at = 0;
    const double l1[] = {1e-3, 0, 0}, l2[] = {1e-2, 0.3, 0};
    const std::int64_t sizes[] = {chunk_size + 700, 333, 50};
    for (int k = 0; k < 3; ++k)
      for (std::int64_t done = 0; done < sizes[k]; done += chunk_size) {
        const auto n = std::min(chunk_size, sizes[k] - done);
        chunks.push_back({at, std::int32_t(n), float(l1[k]), float(2 * l2[k]), l1[k], l2[k], 0});
        at += n;
      }
    p = random_values(std::size_t(at), 8, -1, 1);
    for (std::size_t i = 0; i < p.size(); i += 97) p[i] = 0;
    device_chunks = to_device(chunks);
  }
  double penalty() const {
    double sum = 0;
    for (const auto& s : chunks)
      for (std::int32_t i = 0; i < s.size; ++i) {
        const double v = p[std::size_t(s.offset + i)];
        sum += s.exact_l1 * std::abs(v) + s.exact_l2 * v * v;
      }
    return sum;
  }
  std::vector<Chunk> chunks;
  std::vector<float> p;
  DeviceArray<Chunk> device_chunks;
};

KernelCase finish_case(std::int64_t capacity, std::int64_t live, float poison) {
  return {"metrics of " + std::to_string(live), [=] {
            const TestArena arena;
            const TestBatch b(20, 1, capacity, live, 3);
            auto losses = random_values(std::size_t(capacity), 4, 0, 3);
            losses[0] += poison;
            std::vector<std::int32_t> hits;
            for (std::int64_t r = 0; r < capacity; ++r) hits.push_back(r % 3 == 0);
            const auto p = to_device(arena.p), dl = to_device(losses);
            const auto dh = to_device(hits);
            const auto scalars = to_device(std::vector<StepScalars>{{41, 0.01, 2.5, 7, 30, 0}});
            const DeviceArray<double> partial(arena.chunks.size()), total(2);
            const auto count = std::int64_t(arena.chunks.size());
            // Of two rules, one of which has a rate of its own.
            const RuleDevice<training::AdamRule> adam(rule_of(training::AdamOptions{.beta_2 = 0.99}));
            const RuleDevice<training::SgdRule> sgd{training::SgdRule{}};
            const bool is_adam = live % 2 == 0;
            const PenaltySum sum{arena.device_chunks.data(), count, p.data(), partial.data(), total.data()},
                again{arena.device_chunks.data(), count, p.data(), partial.data(), total.data() + 1};
            const CudaOptimizer& optimizer =
                is_adam ? static_cast<const CudaOptimizer&>(adam) : static_cast<const CudaOptimizer&>(sgd);
            optimizer.finish_loss(nullptr, sum, {dl.data(), dh.data(), b.header.data()}, scalars.data());
            sum_penalties(nullptr, again);
            const float rate = is_adam ? from_device(adam.now())[0].alpha : from_device(sgd.now())[0].rate;
            const auto s = from_device(scalars)[0];
            const auto t = from_device(total);
            double loss = 2.5 + arena.penalty() * double(live);
            std::int64_t correct = 7;
            for (std::int64_t r = 0; r < live; ++r)
              loss += losses[std::size_t(r)], correct += hits[std::size_t(r)];
            const double alpha = 0.01 * std::sqrt(1 - std::pow(0.99, 42)) / (1 - std::pow(0.9, 42));
            const bool counted = s.step == 42 && rate == float(is_adam ? alpha : 0.01) &&
                                 s.correct == correct && s.rows == 30 + live &&
                                 s.bad_step == (std::isfinite(poison) ? 0 : 42) && t[0] == t[1];
            const double error = std::max(std::abs(t[0] - arena.penalty()),
                                          std::isfinite(poison) ? std::abs(s.loss_sum - loss) : 0.0) /
                                 1e-9;
            return counted && std::isfinite(error) ? error : INFINITY;
          }};
}

std::vector<KernelCase> training_kernels() {
  return {gather_case(1, 5, 5),        gather_case(67, 9, 4),       loss_case(5, 5, 10, 0, 3),
          loss_case(9, 6, 10, 0.1, 3), loss_case(3, 2, 70, 0.3, 3), loss_case(4, 4, 33, 0, 300),
          loss_case(2, 1, 2, 0, 1),    finish_case(20, 20, 0),      finish_case(600, 301, 0),
          finish_case(3, 2, INFINITY), finish_case(3, 2, NAN)};
}

TEST(TrainingKernels, AgreeWithReferencesInDoubleInEveryOrderOfThreads) {
  for (const auto& c : training_kernels())
    for (const auto order : every_order) {
      const Running running(order);
      EXPECT_LE(c.run(), 1.0) << c.name << ", " << name_of(order);
    }
}

TEST(TrainingKernels, AreWrongWithoutAnyOneOfTheirBarriers) {
  expect_every_barrier_is_needed({finish_case(300, 290, 0)}, 1);
}

TEST(TrainingKernels, OptimizersMoveTheWholeArenaAsTheCpuDoes) {
  // Every registered optimizer as it comes, and with the options that change its rule.
  std::vector<std::string> optimizers = training::OptimizerRegistry::instance().names();
  for (const char* yaml :
       {"adam: {beta_1: 0.8, beta_2: 0.95, epsilon: 1e-3}", "sgd: {momentum: 0.9}",
        "sgd: {momentum: 0.9, nesterov: true}", "rmsprop: {epsilon: 1e-4}",
        "rmsprop: {momentum: 0.5, epsilon: 1e-4}", "adamw: {weight_decay: 0.5, exclude: [bias]}"})
    optimizers.push_back(yaml);
  TestArena arena;
  const auto n = arena.p.size();
  const auto count = std::int64_t(arena.chunks.size());
  const TestBatch batch(20, 1, 4, 4, 3);
  const auto losses = to_device(std::vector<float>(4, 1.0f));
  const auto hits = to_device(std::vector<std::int32_t>(4, 0));
  const DeviceArray<double> partial(arena.chunks.size()), total(1);
  for (const auto& yaml : optimizers) {
    const auto node = config::parse_text(yaml, "test", ".");
    const auto cpu = training::OptimizerChoice::from(node);
    const auto device = make_cuda_optimizer(cpu->options());
    for (std::size_t k = 0; k < arena.chunks.size(); ++k)  // the last of the parameters is called bias
      arena.chunks[k].weight_decay =
          cpu->weight_decay({.name = k + 1 < arena.chunks.size() ? "kernel" : "bias"});
    const auto chunks = to_device(arena.chunks);
    auto p = arena.p;
    std::vector<float> a(n, 0.0f), b(n, 0.0f);
    const auto dp = to_device(p), da = to_device(a), db = to_device(b);
    const auto scalars = to_device(std::vector<StepScalars>{{0, 0.02, 0, 0, 0, 0}});
    for (std::int64_t step = 1; step <= 3; ++step) {
      const auto g = random_values(n, 20 + std::uint64_t(step), -1, 1);
      const auto dg = to_device(g);
      device->finish_loss(nullptr, {chunks.data(), count, dp.data(), partial.data(), total.data()},
                          {losses.data(), hits.data(), batch.header.data()}, scalars.data());
      device->update(nullptr, {chunks.data(), count, dp.data(), dg.data(), {da.data(), db.data()}});
      for (const auto& s : arena.chunks)
        cpu->update({s.size,
                     p.data() + s.offset,
                     g.data() + s.offset,
                     {a.data() + s.offset, b.data() + s.offset},
                     {s.exact_l1, s.exact_l2},
                     0.02,
                     step,
                     s.weight_decay});
    }
    // The same functors, compiled by the same compiler: the same bytes.
    EXPECT_EQ(from_device(dp), p) << yaml;
    EXPECT_EQ(from_device(da), a) << yaml;
    EXPECT_EQ(from_device(db), b) << yaml;
  }
}

}  // namespace
}  // namespace timbre::cuda
