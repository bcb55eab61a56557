"""The assistant: settings, wiring, the one way a question goes, and the faces it is asked through."""
