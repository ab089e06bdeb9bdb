"""Small programs that speak the same HTTP as Istio's public samples: Bookinfo, httpbin, helloworld, tcp-echo, fortio.

They use the standard library only, import nothing of Mizzen, start in tens of milliseconds and stop gracefully.
:data:`mizzen.samples.images.IMAGES` says which program stands for which container image.
"""
