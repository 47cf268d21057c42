"""What a class's faces and answers mean together: signals, windows, intervals, alerts, attendance.

Pure functions and small states over typed results, with numbers in and numbers out; `disclosure` says what of them may
be shown. Nothing here opens, stores or draws anything, or knows a setting.
"""
