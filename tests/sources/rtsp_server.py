"""A real RTSP server with a moving test picture; run by the system's Python, which has GStreamer's introspection.

Usage: /usr/bin/python3 rtsp_server.py PORT; port 0 takes any free one. Prints the port when it listens.
"""

import sys

PIPELINE = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=25/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! h264parse ! rtph264pay name=pay0 pt=96 )"
)


def main() -> None:
    """Serve rtsp://127.0.0.1:PORT/class until killed."""
    # Imported here because pytest imports this file too, with a Python that lacks them.
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PIPELINE)
    factory.set_shared(True)
    server.get_mount_points().add_factory("/class", factory)
    server.attach(None)
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
