"""Reading a question: tokens, numbers, periods, function words and links, as non-overlapping typed items."""
