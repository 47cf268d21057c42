"""The lab: a Streamlit app to play with the model, to compare models, and to look at runs and classes.

The only importer of Streamlit, which comes with the extra `lab`. `app.py` is the script that Streamlit runs anew for
every click; everything below it is asked what the visitor may do by `visit.policy`.
"""
