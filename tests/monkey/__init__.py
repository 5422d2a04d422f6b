"""Keys, mouse, pastes and sizes at random, over tables of all kinds."""
