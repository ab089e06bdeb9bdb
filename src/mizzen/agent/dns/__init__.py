"""The pod's DNS proxy: the mesh's own names answered here, all others asked of the pod's name servers (rows DN-01 to DN-05)."""
