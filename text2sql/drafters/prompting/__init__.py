"""What the model drafter says to a model and how it reads the reply."""
