"""Files of a demo home that are plain data: semantic model (expanded by demo/semantic.py), glossary, policy …"""
