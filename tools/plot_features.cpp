// plot_features CONFIG AUDIO -o picture.svg: an audio file as the networks are given it.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/command_line.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/text.hpp"
#include "pictures/feature_picture.hpp"
#include "run/run_config.hpp"
#include "storage/atomic_file.hpp"

int main(int argc, char** argv) {
  using namespace timbre;
  using namespace timbre::cli;
  using namespace timbre::run;
  using namespace timbre::pictures;
  CLI::App app{
      "Draws waveform, spectrogram, mel spectrogram and MFCCs of an audio file, with the features that a "
      "configuration names.",
      "plot_features"};
  std::filesystem::path config, audio, out;
  std::vector<std::string> overrides;
  double seconds = 30, offset = 0;
  app.add_option("CONFIG", config, "the configuration, as configs/lstm.yaml")->required();
  app.add_option("AUDIO", audio, "an audio file: wav, au, flac, ogg, mp3; any rate, mono or not")->required();
  app.add_option("-o,--output", out, "the picture to write: a name ending in .svg")->required();
  app.add_option("--set", overrides, "key=value: replaces a value, as features.n_mels=64")
      ->allow_extra_args(false);
  app.add_option("--seconds", seconds, "how much to show (default: 30)")->check(CLI::Range(0.001, 3600.0));
  app.add_option("--offset", offset, "seconds to leave out at the beginning (default: 0)")
      ->check(CLI::Range(0.0, 1e7));
  return run_command(app, argc, argv, [&] {
    heed_signals();
    const auto shown = printable(out.string());
    if (out.extension() != ".svg")
      fail_request("-o {}: only SVG is written; give a name that ends in .svg", shown);
    const auto features = load_run_config(config, overrides).features;
    if (features.external)
      fail_request("{}: its features are not made from audio; there is nothing to draw",
                   printable(config.string()));
    const auto excerpt = read_excerpt(audio, features.sample_rate, offset, seconds);
    throw_if_stopped();
    std::string picture;
    try {
      picture = feature_picture(features, excerpt, printable(audio.filename().string()),
                                fmt::format("{}, at {} Hz", describe_excerpt(excerpt, features.sample_rate),
                                            grouped(features.sample_rate)));
    } catch (const RequestError& e) {
      fail_request("{}: {}", printable(audio.string()), e.what());
    }
    throw_if_stopped();
    // A name that cannot be written at all is a wrong request; a disk that fills up on the way is not.
    try {
      const storage::AtomicFile trial(out);
    } catch (const Error& e) {
      fail_request("-o {}", e.what());
    }
    storage::write_file(out, picture);
    std::printf("picture: %s\n", out.c_str());
    return 0;
  });
}
