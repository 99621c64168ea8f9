"""What every room talks about: images, snapshots, change sets, results."""
