"""The Streamlit chat: one page, over the same assistant and the same records as the command line."""
