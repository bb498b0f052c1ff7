"""check_tensorboard.py FOLDER

Reads the event files of a run with TensorBoard's own reader (no TensorFlow), the hyperparameters with its protobuf modules,
and the pictures with Pillow where it is there. Exit status 1 where something is missing."""
import io
import sys

import tensorboard.compat.tensorflow_stub as stub
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2


def main():
    events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0, "images": 0})
    events.Reload()
    tags = events.Tags()
    print({k: v for k, v in tags.items() if v})
    assert tags["scalars"] or tags["tensors"], "no scalars"
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        values = events.Scalars("epoch/" + name)
        print(name, [(v.step, round(v.value, 4)) for v in values])
        assert [v.step for v in values] == list(range(1, len(values) + 1))
    found = 0
    for tag, content in events.summary_metadata.items():
        if content.plugin_data.plugin_name != "hparams":
            continue
        data = plugin_data_pb2.HParamsPluginData.FromString(content.plugin_data.content)
        print(tag, data)
        kind = data.WhichOneof("data")
        assert kind == tag.split("/")[1], (tag, kind)
        found += 1
        if kind == "session_start_info":
            assert "seed" in data.session_start_info.hparams
            assert data.session_start_info.hparams["seed"].WhichOneof("kind") == "number_value"
    assert found == 3, f"{found} values of the plug-in hparams"
    for tag in tags["images"]:
        (image,) = events.Images(tag)
        try:
            from PIL import Image
        except ImportError:
            continue
        picture = Image.open(io.BytesIO(image.encoded_image_string))
        assert picture.size == (image.width, image.height), (picture.size, image.width, image.height)
    assert tags["images"], "no pictures"
    texts = [t for t, m in events.summary_metadata.items() if m.plugin_data.plugin_name == "text"]
    assert texts, "no texts"
    for tag in texts:
        print(tag, events.Tensors(tag)[0].tensor_proto.string_val[0].decode()[:60])


assert stub
main()
