// export_model RESULT -o FILE: the network of a result as a file that other programs read.
#include <CLI/CLI.hpp>

#include "cli/command_line.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "exchange/keras.hpp"
#include "exchange/onnx.hpp"
#include "run/trained.hpp"
#include "storage/atomic_file.hpp"

int main(int argc, char** argv) {
  using namespace timbre;
  CLI::App app{
      "Writes the network of a result as a file for other programs, which the name's extension chooses: "
      ".onnx. Features go "
      "in as extract_features writes them; what the run did to standardise them is inside.",
      "export_model"};
  std::filesystem::path result, out;
  std::string from = "features";
  storage::Trust trust;
  app.add_option("RESULT", result, "result.h5 of a run")->required();
  app.add_option("-o,--output", out, "the file to write: .onnx, .keras or .h5")->required();
  app.add_option("--from", from,
                 "what the model takes: features, or audio (.onnx alone): segments of samples at the model's "
                 "rate, from which "
                 "it extracts the features itself")
      ->check(CLI::IsMember({"features", "audio"}));
  cli::add_unverified(app, trust.unverified);
  return cli::run_command(app, argc, argv, [&] {
    const auto shown = printable(out.string());
    const auto extension = out.extension();
    const bool onnx = extension == ".onnx", archive = extension == ".keras";
    if (!onnx && !archive && extension != ".h5" && extension != ".hdf5")
      fail_request("{}: the extension of --output says what is written; known: .onnx, .keras, .h5", shown);
    if (from == "audio" && !onnx)
      fail_request("--from audio: {} holds networks alone; an .onnx file holds the features' part as well",
                   shown);
    const auto trained = run::load_trained(result, trust);
    const exchange::Outgoing network{
        trained.model,           trained.weights(),   trained.standardisation, trained.config.features,
        trained.cutting.samples, trained.cutting.hop, trained.record};
    if (onnx)
      storage::write_file(out, exchange::onnx_file(network, from == "audio"));
    else if (archive)
      exchange::write_keras_archive(out, network);
    else
      exchange::write_keras_h5(out, network);
    fmt::print("model: {}\n", shown);
    return 0;
  });
}
