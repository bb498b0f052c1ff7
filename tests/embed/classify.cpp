// classify RESULT SAMPLES: the genre of a file of raw samples (float32, one channel, at the network's rate).
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <timbre/classifier.hpp>

int main(int argc, char** argv) try {
  if (argc != 3) throw std::runtime_error("usage: classify RESULT SAMPLES");
  timbre::Classifier genres(argv[1]);
  std::ifstream in(argv[2], std::ios::binary);
  std::vector<float> samples;
  for (float v; in.read(reinterpret_cast<char*>(&v), sizeof v);) samples.push_back(v);
  const auto p = genres.classify(samples);
  for (std::size_t i = 0; i < p.size(); ++i) std::printf("%s %.6f\n", genres.labels()[i].c_str(), p[i]);
  const auto best = std::max_element(p.begin(), p.end()) - p.begin();
  std::printf("genre: %s\n", genres.labels()[best].c_str());
} catch (const std::exception& e) {
  std::fprintf(stderr, "classify: %s\n", e.what());
  return 1;
}
