"""The lab on a hosting service, such as Streamlit's Community Cloud: strangers may come, so it takes no model files."""

import os

os.environ.setdefault("CLASSPULSE_LAB__TAKE_MODELS", "false")
os.environ.setdefault("CLASSPULSE_LAB__SHOW_CLASSES", "false")
os.environ.setdefault("CLASSPULSE_LAB__MAX_VIDEO_MB", "50")
os.environ.setdefault("CLASSPULSE_LAB__MAX_VIDEO_S", "30")
os.environ.setdefault("CLASSPULSE_CPU_SHARE", "1")

from classpulse.lab.app import main

main()
