"""What is known about who asks and about the thing asked about, as dated facts with their origin."""
