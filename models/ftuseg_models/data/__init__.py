"""The training data: pictures with masks from folders on disk, which cores are held out, and random crops to train on."""
