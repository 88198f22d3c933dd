#!/bin/sh
# Makes sample.ts: 20.48 s (512 pictures, 960 AAC frames), so that it loops without a seam.
set -eu
out="${1:-$(dirname "$0")/sample.ts}"
font=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
bold=/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf
mono=/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf
# One turn of the sun and one lift of the gate per loop (period 20.48 s).
turn='2*PI*t/20.48'

ffmpeg -hide_banner -loglevel error -y \
  -f lavfi -i "gradients=s=854x480:r=25:d=20.48:c0=0x0e2a47:c1=0x2f6f8f:c2=0xf2a65a:n=3:x0=427:y0=0:x1=427:y1=470:speed=0.00001" \
  -f lavfi -i "color=c=black@0:s=190x190:r=25:d=0.04,format=rgba,geq=r=255:g=232:b=184:a='min(255\,255*clip(1.3-hypot(X-95\,Y-95)/42\,0\,1)+70*clip(1-hypot(X-95\,Y-95)/94\,0\,1))',loop=-1:1" \
  -f lavfi -i "color=c=black@0:s=1708x232:r=25:d=0.04,format=rgba,geq=r=14:g=38:b=58:a='235*lt(95+34*sin(X*2*PI/854)+17*sin(X*6*PI/854+1)\,Y)',loop=-1:1" \
  -f lavfi -i "color=c=black@0:s=1708x110:r=25:d=0.04,format=rgba,geq=r=8:g=22:b=36:a='255*lt(52+22*sin(X*4*PI/854+2)+9*sin(X*14*PI/854)\,Y)',loop=-1:1" \
  -f lavfi -i "color=c=black@0:s=340x420:r=25:d=0.04,format=rgba,geq=r=34:g=42:b=52:a='255*(lt(Y\,382)*(lt(mod(X+24\,57)\,11)+lt(mod(Y+8\,62)\,9))+gte(Y\,382)*lt(abs(mod(X+24\,57)-5.5)\,5.5*(1-(Y-382)/30)))',loop=-1:1" \
  -f lavfi -i "color=c=black@0:s=854x480:r=25:d=0.04,format=rgba,geq=r='26+3*lt(mod(Y\,40)\,2)':g='32+3*lt(mod(Y\,40)\,2)':b='40+3*lt(mod(Y\,40)\,2)':a='255*(1-lt(abs(X-427)\,160)*gt(Y\,230)-lte(Y\,230)*lt(hypot(X-427\,Y-230)\,160))*lt(abs(X-427)\,214)',loop=-1:1" \
  -f lavfi -i "color=c=0xf2a65a:s=64x4:r=25" \
  -f lavfi -i "aevalsrc='0.10*sin(2*PI*261.63*t)*exp(-2.2*mod(t\,2.56))+0.05*sin(2*PI*130.81*t)*(0.6+0.4*sin(2*PI*t/5.12))|0.10*sin(2*PI*392*t)*exp(-2.2*mod(t+1.28\,2.56))+0.05*sin(2*PI*196*t)*(0.6-0.4*sin(2*PI*t/5.12))':s=48000:d=20.48" \
  -filter_complex "
    [0][1]overlay=x='427-95-250*cos($turn)':y='250-95-140*abs(sin($turn))':shortest=1[sky];
    [sky][2]overlay=x='-mod(854*t/20.48\,854)':y=250[far];
    [far][3]overlay=x='-mod(2*854*t/20.48\,854)':y=372[near];
    [near][4]overlay=x=257:y='-40-300*(0.5-0.5*cos(2*PI*t/10.24))'[gate];
    [gate][5]overlay=x=0:y=0[arch];
    [arch]drawtext=fontfile=$bold:text='PORTCULLIS':x=32:y=28:fontsize=24:fontcolor=white:shadowcolor=black@0.35:shadowx=1:shadowy=1,
    drawtext=fontfile=$font:text='Gate One':x=32:y=60:fontsize=19:fontcolor=0xffe8b8:shadowcolor=black@0.35:shadowx=1:shadowy=1,
    drawtext=fontfile=$mono:text='%{pts\:hms}':x=w-tw-32:y=30:fontsize=22:fontcolor=white:shadowcolor=black@0.35:shadowx=1:shadowy=1,
    drawtext=fontfile=$mono:text='frame %{eif\:mod(n\,512)\:d\:3}':x=w-tw-32:y=62:fontsize=18:fontcolor=0xffe8b8:shadowcolor=black@0.35:shadowx=1:shadowy=1,
    drawbox=x=0:y=476:w=854:h=4:c=black@0.5:t=fill[text];
    [text][6]overlay=x='-64+(854+64)*mod(t\,1.28)/1.28':y=476:shortest=1,format=yuv420p[v]" \
  -map '[v]' -map 7:a -t 20.48 \
  -c:v libx264 -profile:v main -level 3.0 -preset veryslow -bf 0 -b:v 1050k -maxrate 1150k -bufsize 700k \
  -x264-params keyint=25:min-keyint=25:scenecut=0:repeat-headers=1:aud=1 \
  -c:a aac -b:a 96k -ac 2 \
  -metadata service_name='Gate One' -metadata service_provider='Portcullis' \
  -f mpegts -mpegts_service_id 1 -mpegts_pmt_start_pid 0x0100 -mpegts_start_pid 0x0101 \
  -mpegts_original_network_id 0xff01 -mpegts_transport_stream_id 1 \
  -muxrate 1520k -pcr_period 30 -pat_period 0.1 -sdt_period 0.5 -muxdelay 0.4 -muxpreload 0 \
  "$out"
