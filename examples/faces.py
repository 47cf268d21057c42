"""Read the faces of a picture or a video: python examples/faces.py PICTURE_OR_VIDEO."""

import sys

from classpulse import Pipeline

pipeline = Pipeline(jurisdiction="other")
for result in pipeline.run(sys.argv[1]):
    words = result.emotions.names() if result.emotions else []
    print(f"{result.time_s:6.2f} s: {len(result)} faces", dict(zip(result.tracks.ids.tolist(), words, strict=False)))
