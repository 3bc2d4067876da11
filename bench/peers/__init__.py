"""What one would use instead, each as its own documentation would have one write it."""
