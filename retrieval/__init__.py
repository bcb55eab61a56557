"""Context: who asks (situational) and what is known (semantic), merged under one token budget."""
